import type {Facts} from '../host/facts.ts';
import type {FirstFacts} from '../host/first-facts.ts';
import {describeExposure, scopeOf} from '../policy/address-scope.ts';
import {printable} from '../policy/printable.ts';
import {printDoor} from '../ruleset/way-in.ts';
import type {Line} from '../ui/lines.ts';

/** Stands for what is not known yet. */
const LOOKING = 'looking';

/** What was found out about the machine, for Welcome: what matters for the choices to come. */
export function describeMachine(facts: Facts | FirstFacts): readonly Line[] {
	const {interfaces, root} = facts;
	const session = 'session' in facts ? describeSession(facts.session) : LOOKING;
	return [
		'iptables' in facts ? describeIptables(facts) : {text: `iptables: ${LOOKING}`, tone: 'muted'},
		{
			text: `Network: ${
				interfaces
					.map(({name, addresses}) => `${printable(name)} ${addresses.map(bare).join(' ')}`)
					.join(', ') || 'no interface with an address'
			}`,
			tone: 'plain',
		},
		{text: `You: ${session}`, tone: session === LOOKING ? 'muted' : 'plain'},
		...(root
			? []
			: [{text: 'You are not root: rules can be looked at, not loaded', tone: 'warning' as const}]),
	];
}

function describeIptables({iptables, families}: Facts): Line {
	const names = families.map((family) => `IPv${family}`).join(' and ');
	return iptables === undefined
		? {
				text: 'iptables: not installed. You can look at rules, but not load them',
				tone: 'warning',
			}
		: {text: `iptables: ${iptables.version} (${iptables.backend}), for ${names}`, tone: 'plain'};
}

/** One address of each family, by which others reach this machine. */
export function addressesOf({interfaces, families}: Facts): readonly string[] {
	const all = interfaces.flatMap(({addresses}) => addresses.map(bare));
	return families.flatMap(
		(family) =>
			all.find(
				(address) => address.includes(':') === (family === 6) && !address.startsWith('fe80'),
			) ?? [],
	);
}

/** The article's third alternative to an open port: whether this machine has a public address. */
export function describeNat({interfaces}: Facts): string {
	return describeExposure(
		interfaces.flatMap(({addresses}) =>
			addresses.map((cidr) => ({cidr, scope: scopeOf(bare(cidr))})),
		),
	);
}

/** How the user reaches this machine, as half a sentence. */
export function describeSession(session: Facts['session']): string {
	switch (session.kind) {
		case 'console':
			return "at the machine's own console";
		case 'unknown':
			return 'how you are connected was not found out';
		case 'remote':
			return `from ${session.client ?? 'outside'}, through ${session.doors.map(printDoor).join(' and ')}`;
	}
}

function bare(cidr: string): string {
	return cidr.split('/')[0] ?? cidr;
}
