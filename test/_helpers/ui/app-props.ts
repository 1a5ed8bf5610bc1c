import type {ApplyFacts} from '../../../source/app/apply-facts.ts';
import {planApply} from '../../../source/app/plan-apply.ts';
import type {Item} from '../../../source/checklist/checklist-item.ts';
import {evaluate} from '../../../source/ruleset/evaluate.ts';
import {explainDecision} from '../../../source/ruleset/explain.ts';
import type {RemoteClient} from '../../../source/ruleset/lockout.ts';
import type {AppProps} from '../../../source/ui/app.tsx';
import {NOTHING_KNOWN} from '../../../source/ui/state/state.ts';
import type {HostView} from '../../../source/ui/steps/step-props.ts';
import {FACTS} from '../samples/apply-facts.ts';

/** Plans with the given facts, for a remote client or without one. */
export function plannerFor(
	remoteClient: RemoteClient | undefined,
	facts: Partial<ApplyFacts> = {},
): HostView['planApply'] {
	const {session} = FACTS;
	const known: ApplyFacts = {
		...FACTS,
		session: remoteClient ? {kind: 'remote', connection: 'mosh', ...remoteClient} : session,
		...facts,
	};
	return (policy, existing) => planApply({policy, existing, boot: 'none'}, known);
}

const unable = async (): Promise<never> => {
	throw Object.assign(new Error('This machine allows no network namespaces'), {
		hint: 'Run as root',
	});
};

/** A machine about which there is little to say. */
export const MACHINE: HostView = {
	head: 'web1, Debian 12, root at the console',
	headline: 'This machine has no firewall. No port is open to other machines.',
	findings: [{text: 'Debian, with iptables 1.8.9 (nft)', tone: 'plain'}],
	looking: [],
	known: NOTHING_KNOWN,
	status: undefined,
	readStatus: async () => {},
	readBlocked: async () => undefined,
	undo: unable,
	nat: 'This machine has no public address',
	findExposure: async () => ({rows: [], tried: false, unread: []}),
	findBeside: async () => ({lines: [], known: []}),
	openPacketTrier: async ({ruleSet}) => ({
		evaluate: (packet) => {
			const rules = ruleSet.families.find(({family}) => family === packet.family);
			return rules && explainDecision(evaluate(rules, packet), packet);
		},
		send: async () => [],
	}),
	helpers: new Map(),
	boot: 'systemd',
	addresses: ['192.0.2.1', '2001:db8::1'],
	inInterface: 'eth0',
	interfaceNames: undefined,
	suggested: {clients: ['from 192.0.2.0/24'], vpns: []},
	remoteClient: undefined,
	sshCommand: undefined,
	rehearsal: false,
	seconds: 60,
	elevation: undefined,
	planApply: plannerFor(undefined),
};

/** What proves rules where nothing can be proven. */
export const UNABLE: AppProps['prover'] = {prove: unable, proveBefore: unable, demonstrate: unable};

/** A checklist on which all is well but what only the user or a boot can tell. */
export const ITEMS: readonly Item[] = [
	{id: 'policy', title: 'the policy is stored and readable', state: 'ok'},
	{
		id: 'scanned',
		title: 'scanned from another machine',
		state: 'open',
		cause: 'nmap -sS -sU -p 0-65535 -oX scan.xml 192.0.2.1',
	},
	{id: 'survived', title: 'the rules have survived a boot', state: 'open', cause: 'not yet'},
];

export const CHECKER: AppProps['checker'] = {
	check: async () => ITEMS,
	mend: async () => ITEMS,
	tick: async (tick) => ITEMS.map((item) => (item.id === tick ? {...item, state: 'ok'} : item)),
	reboot: async () => {},
};
