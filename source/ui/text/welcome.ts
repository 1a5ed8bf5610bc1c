import {hostname} from 'node:os';
import {currentUser} from '../../change/journal.ts';
import type {Published} from '../../existing/nat/published-ports.ts';
import type {Facts} from '../../host/machine/facts.ts';
import {type HostFacts, isRoot} from '../../host/machine/host-facts.ts';
import type {HostReport} from '../../host/machine/host-report.ts';
import {distributionHere} from '../../host/machine/system.ts';
import {describePublicAddress, scopeOf} from '../../lib/address-scope.ts';
import {commandLine} from '../../lib/command-line.ts';
import {joinSome, joinWords} from '../../lib/list.ts';
import {findGlobal, stripPrefixLength} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {printAccessPort} from '../../ruleset/lockout.ts';
import type {Listener} from '../../services/listener.ts';
import {type Line, lowerFirst} from './wrap.ts';

/** The facts of the report that Welcome shows. */
type Found = Pick<HostReport, 'listeners' | 'published' | 'existing' | 'recommendation'>;

/** Stands for a fact that is not known yet. */
const LOOKING = 'looking';
const LOOKING_TEXT = 'Looking at this machine';

/**
 * The number of interfaces, programs and ports that are named, and the highest number of warnings.
 */
const MOST_NAMES = 4;
const MOST_WARNINGS = 4;

/** What Welcome says of the machine. */
export type MachineView = {
	/** Host name, system, user, and from where: `web1, Debian 12, root from 198.51.100.7 (22/tcp)`. */
	readonly head: string;
	/** Whether other machines are kept out now, and how many ports are open to them. */
	readonly headline: string;
	/** Warnings first, the most important at the beginning; then the system, in two lines. */
	readonly findings: readonly Line[];
};

/**
 * What Welcome says of the machine.
 * @param found absent while the wizard is still looking for it
 */
export function describeMachine(facts: Facts | HostFacts, found?: Found): MachineView {
	const {interfaces} = facts;
	const networks = interfaces.flatMap(({name, addresses}) => {
		// Each interface makes a link-local address for itself. It says nothing about who reaches the machine.
		const shown = addresses.filter((cidr) => !cidr.startsWith('fe80:')).map(stripPrefixLength);
		return shown.length === 0 ? [] : [`${printable(name)} ${shown.join(' ')}`];
	});
	const lines: readonly Line[] = [
		'iptables' in facts ? describeIptables(facts) : {text: `iptables: ${LOOKING}`, tone: 'muted'},
		{
			text: `Network: ${joinSome(networks, MOST_NAMES) || 'no interface with an address'}`,
			tone: 'muted',
		},
	];
	return {
		head: describeHead(facts),
		headline: found === undefined ? LOOKING_TEXT : describeState(facts, found),
		findings: [
			...describeWarnings(facts, found),
			...lines.filter(({tone}) => tone === 'attention'),
			...lines.filter(({tone}) => tone !== 'attention'),
		],
	};
}

/** `web1, Debian 12, root from 198.51.100.7 (22/tcp)` */
function describeHead(facts: Facts | HostFacts): string {
	const session = 'session' in facts ? facts.session : undefined;
	const from =
		session?.kind === 'remote'
			? ` from ${session.client ?? 'another machine'} (${session.accessPorts.map(printAccessPort).join(', ')})`
			: session?.kind === 'console'
				? ' at the console'
				: '';
	const system = distributionHere()
		.value?.replace(' GNU/Linux', '')
		.replace(/ \([^)]*\)$/, '');
	return [
		printable(hostname()),
		...(system === undefined ? [] : [system]),
		`${userHere()}${from}`,
	].join(', ');
}

/** The user, and who has become root by sudo: `root (alice)`. */
function userHere(): string {
	const user = currentUser();
	return isRoot() && user !== 'root' ? `root (${user})` : user;
}

/** `This server has no firewall. 6 ports are open to the internet.` */
function describeState(facts: Facts | HostFacts, found: Found): string {
	const {value: existing} = found.existing;
	const {role = 'workstation'} = found.recommendation.value ?? {};
	const machine = role === 'server' ? 'server' : 'machine';
	const filters = existing?.neighbours.filter(({kind}) => kind !== 'service') ?? [];
	const {value: listeners} = found.listeners;
	if (existing === undefined || filters.length > 0) {
		return filters.length > 0
			? `Other firewall rules are active: ${joinSome([...new Set(filters.map(({name}) => name))], MOST_NAMES)}.`
			: `A firewall for this ${machine}.`;
	}

	return `This ${machine} has no firewall. ${listeners === undefined ? '' : countOpen(facts, listeners, found.published.value ?? [])}`.trim();
}

function countOpen(
	{interfaces}: Facts | HostFacts,
	listeners: readonly Listener[],
	published: readonly Published[],
): string {
	const ports = new Set([
		...listeners
			.filter(({reach}) => reach === 'outside')
			.map(({port, protocol}) => `${port}/${protocol}`),
		...published.map(({port, protocol}) => `${port}/${protocol}`),
	]);
	const isPublic = interfaces.some(({addresses}) =>
		addresses.some((address) => scopeOf(stripPrefixLength(address)) === 'public'),
	);
	const to = isPublic ? 'the internet' : 'other machines';
	return ports.size === 0
		? `No port is open to ${to}.`
		: `${ports.size === 1 ? '1 port is' : `${ports.size} ports are`} open to ${to}.`;
}

/** The warnings, the most important first. */
function describeWarnings(facts: Facts | HostFacts, found: Found | undefined): readonly Line[] {
	const {neighbours = []} = found?.existing.value ?? {};
	const published = found?.published.value ?? [];
	const warnings = [
		...(facts.root ? [] : ['You are not root: rules can be looked at, not loaded']),
		...(facts.root && found !== undefined && found.existing.value === undefined
			? ['Which rules there are already could not be detected']
			: []),
		...neighbours
			.filter(({kind, name}) => kind !== 'service' && name !== 'rules in other chains')
			.map(({name, means}) => `${name}: ${lowerFirst(means)}`),
		...(published.length === 0
			? []
			: [
					`${published.length} ${published.length === 1 ? 'port is' : 'ports are'} published past INPUT by ${joinWords([...new Set(published.map(({by}) => by))])}: see Ports`,
				]),
	];
	const more = warnings.length - MOST_WARNINGS;
	return [
		...warnings.slice(0, more > 0 ? MOST_WARNINGS - 1 : MOST_WARNINGS),
		...(more > 0 ? [`${more + 1} more warnings: ${commandLine('facts')}`] : []),
	].map((text) => ({text, tone: 'attention'}));
}

function describeIptables({iptables, families}: Facts): Line {
	const names = families.map((family) => `IPv${family}`).join(' and ');
	return iptables === undefined
		? {
				text: 'iptables: not installed. You can look at rules, but not load them',
				tone: 'attention',
			}
		: {text: `iptables: ${iptables.version} (${iptables.backend}), for ${names}`, tone: 'plain'};
}

/** One address of each family at which other hosts reach this machine. */
export function addressesOf({interfaces, families}: Facts): readonly string[] {
	const all = interfaces.flatMap(({addresses}) => addresses.map(stripPrefixLength));
	return families.flatMap((family) => findGlobal(all, family) ?? []);
}

/** Whether this machine has a public address: without one, the internet cannot reach it. */
export function describeNat({interfaces}: Facts): string {
	return describePublicAddress(
		interfaces.flatMap(({addresses}) =>
			addresses.map((cidr) => ({cidr, scope: scopeOf(stripPrefixLength(cidr))})),
		),
	);
}
