import type {Facts} from '../../host/machine/facts.ts';
import type {HostFacts} from '../../host/machine/host-facts.ts';
import type {HostReport} from '../../host/machine/host-report.ts';
import {describeSession} from '../../host/sockets/describe-session.ts';
import {describePublicAddress, scopeOf} from '../../lib/address-scope.ts';
import {joinWords} from '../../lib/list.ts';
import {printable} from '../../lib/printable.ts';
import {ROLE_TEXTS} from './texts.ts';
import type {Line} from './wrap.ts';

/** The facts of the report that Welcome shows. */
type Found = Pick<HostReport, 'listeners' | 'published' | 'existing' | 'recommendation'>;

/** Stands for a fact that is not known yet. */
const LOOKING = 'looking';

/**
 * The number of interfaces, programs and ports that are named, and the highest number of warnings.
 */
const MOST_NAMES = 4;
const MOST_WARNINGS = 4;

/**
 * The lines of Welcome about the machine: what matters for the choices to come, in at most ten
 * entries, warnings first.
 * @param found absent while the wizard is still looking for it
 */
export function describeMachine(facts: Facts | HostFacts, found?: Found): readonly Line[] {
	const {interfaces} = facts;
	const session = 'session' in facts ? describeSession(facts.session) : LOOKING;
	const networks = interfaces.map(
		({name, addresses}) => `${printable(name)} ${addresses.map(stripPrefixLength).join(' ')}`,
	);
	const lines: readonly Line[] = [
		'iptables' in facts ? describeIptables(facts) : {text: `iptables: ${LOOKING}`, tone: 'muted'},
		{
			text: `Network: ${some(networks) || 'no interface with an address'}`,
			tone: 'plain',
		},
		{text: `You: ${session}`, tone: session === LOOKING ? 'muted' : 'plain'},
		...(found === undefined
			? [{text: `Listens: ${LOOKING}`, tone: 'muted' as const}]
			: describeFound(found)),
	];
	return [
		...describeWarnings(facts, found),
		...lines.filter(({tone}) => tone === 'warning'),
		...lines.filter(({tone}) => tone !== 'warning'),
	];
}

/** The warnings, the most important first. */
function describeWarnings(facts: Facts | HostFacts, found: Found | undefined): readonly Line[] {
	const {neighbours = []} = found?.existing.value ?? {};
	const published = found?.published.value ?? [];
	const warnings = [
		...(facts.root ? [] : ['You are not root: rules can be looked at, not loaded']),
		...(facts.root && found !== undefined && found.existing.value === undefined
			? ['Which rules there are already was not found out']
			: []),
		...neighbours
			.filter(({kind, name}) => kind !== 'service' && name !== 'rules elsewhere')
			.map(({name, means}) => `${name}: ${lowerFirst(means)}`),
		...(published.length === 0
			? []
			: [
					`${published.length} ${published.length === 1 ? 'port passes' : 'ports pass'} INPUT by, forwarded by ${joinWords([...new Set(published.map(({by}) => by))])}: no rule here shuts ${published.length === 1 ? 'it' : 'them'}`,
				]),
	];
	const more = warnings.length - MOST_WARNINGS;
	return [
		...warnings.slice(0, more > 0 ? MOST_WARNINGS - 1 : MOST_WARNINGS),
		...(more > 0 ? [`${more + 1} more warnings: fw-wizard facts`] : []),
	].map((text) => ({text, tone: 'warning'}));
}

/** Which ports have listeners, which other programs filter, and which role that recommends. */
function describeFound(found: Found): readonly Line[] {
	const {value: listeners} = found.listeners;
	const {value: recommendation} = found.recommendation;
	const {neighbours = []} = found.existing.value ?? {};
	const outside = listeners?.filter(({reach}) => reach === 'outside') ?? [];
	const ports = [...new Set(outside.map(({port, protocol}) => `${port}/${protocol}`))];
	return [
		{
			text: `Listens for others: ${listeners === undefined ? 'not known here' : some(ports) || 'nothing'}`,
			tone: 'plain',
		},
		...(neighbours.length === 0
			? []
			: [
					{
						text: `Neighbours: ${some([...new Set(neighbours.map(({name}) => name))])}`,
						tone: 'plain' as const,
					},
				]),
		...(recommendation === undefined
			? []
			: [
					{
						text: `Recommended role: ${ROLE_TEXTS[recommendation.role].label}, since ${recommendation.reason}`,
						tone: 'accent' as const,
					},
				]),
	];
}

/** `a, b, c, d and 3 more` */
function some(names: readonly string[]): string {
	const more = names.length - MOST_NAMES;
	return `${names.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function lowerFirst(text: string): string {
	return text.charAt(0).toLowerCase() + text.slice(1);
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

/** One address of each family at which other hosts reach this machine. */
export function addressesOf({interfaces, families}: Facts): readonly string[] {
	const all = interfaces.flatMap(({addresses}) => addresses.map(stripPrefixLength));
	return families.flatMap(
		(family) =>
			all.find(
				(address) => address.includes(':') === (family === 6) && !address.startsWith('fe80'),
			) ?? [],
	);
}

/** Whether this machine has a public address: without one, the internet cannot reach it. */
export function describeNat({interfaces}: Facts): string {
	return describePublicAddress(
		interfaces.flatMap(({addresses}) =>
			addresses.map((cidr) => ({cidr, scope: scopeOf(stripPrefixLength(cidr))})),
		),
	);
}

function stripPrefixLength(cidr: string): string {
	return cidr.split('/')[0] ?? cidr;
}
