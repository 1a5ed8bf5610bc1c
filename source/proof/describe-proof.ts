import {groupBy} from '../lib/group-by.ts';
import {joinSome} from '../lib/list.ts';
import type {Family} from '../lib/network.ts';
import {countPorts, printPorts} from '../lib/port-ranges.ts';
import {PROTOCOLS} from '../policy/services.ts';
import {openIn, type PortDifference, type Proof, type View} from './report.ts';
import {placeOf} from './vantage-points.ts';

/** What differs from the policy, seen from each vantage point; a sentence each without its full stop. */
export function describeDifferences(views: readonly View[]): readonly string[] {
	return views.flatMap((view) =>
		view.differences.map((difference) => describePortDifference(view, difference)),
	);
}

/** `5432/tcp passes from anywhere over IPv4: rule 2 of INPUT, not part of this firewall` */
function describePortDifference(view: View, difference: PortDifference): string {
	const {ports, protocol, fact, cause} = difference;
	const list = ports.map((range) => `${printPorts(range, '-')}/${protocol}`);
	return `${joinSome(list, 8)} ${fact} from ${placeOf(view.vantagePoint)} over ${nameOf(view.vantagePoint.family)}: ${cause}`;
}

/** All that is not as the policy says, a line each. A network and its neighbours are tried by several addresses. */
export function describeFaults({views, checks}: Proof): readonly string[] {
	return [
		...[...new Set(describeDifferences(views))].map((text) => `Difference: ${text}`),
		...checks
			.filter(({result}) => result === 'failed')
			.map(({name, detail}) => `Failed: ${name}: ${detail}`),
	];
}

/** What could not be tried, a line each. */
export function describeUntried({checks, untried}: Proof): readonly string[] {
	return [
		...checks
			.filter(({result}) => result === 'untried')
			.map(({name, detail}) => `Not tried: ${name}: ${detail}`),
		...untried.map(
			(network) => `Not tried: from ${network}: no packet from outside has such a source`,
		),
	];
}

/** `12 of 13 protocol checks passed.` */
export function describeChecks({checks}: Proof): string {
	return `${checks.filter(({result}) => result === 'ok').length} of ${checks.length} protocol checks passed.`;
}

/** From where packets went only to the edges of the rules; undefined where from nowhere. */
export function describeSampled({sampled}: Proof): string | undefined {
	return (
		sampled &&
		`${sampled.networks} ${sampled.networks === 1 ? 'network' : 'networks'}, at both ends and just outside (${sampled.addresses} addresses): ${sampled.probes} packets to the ports where a rule begins or ends`
	);
}

/** More ranges than these are counted. */
const MOST_RANGES = 12;

/** `IPv4 from anywhere: 22, 53/tcp; 53/udp` */
export function describeView(view: View): string {
	const {vantagePoint, protocols = []} = view;
	const open = openIn(view);
	const ports = PROTOCOLS.flatMap((protocol) =>
		open[protocol].length === 0
			? []
			: [
					open[protocol].length > MOST_RANGES
						? `${countPorts(open[protocol])} ports of ${protocol}`
						: `${open[protocol].map((range) => printPorts(range, '-')).join(', ')}/${protocol}`,
				],
	);
	const parts = [...ports, ...(protocols.length > 0 ? [protocols.join(', ')] : [])];
	return `${nameOf(vantagePoint.family)} from ${placeOf(view.vantagePoint)}: ${parts.join('; ') || 'nothing'}`;
}

/** The published ports as strangers find them: `Published and open: 8080/tcp (to 172.17.0.2:80)`; safe to print. */
export function describePublished({views}: Proof): readonly string[] {
	const all = views
		.filter(({vantagePoint}) => vantagePoint.kind === 'anywhere')
		.flatMap(({published}) => published);
	return [true, false].flatMap((wanted) => {
		const names = groupBy(
			all.filter(({open}) => open === wanted),
			(range) => `${printPorts(range, '-')}/${range.protocol}`,
		).map((group) => {
			const to = [...new Set(group.map((range) => range.to))].join(', ');
			return `${printPorts(group[0], '-')}/${group[0].protocol} (to ${to})`;
		});
		return names.length === 0
			? []
			: [
					`Published and ${wanted ? 'open' : 'not open to everybody'}: ${joinSome(names, MOST_RANGES)}`,
				];
	});
}

function nameOf(family: Family): string {
	return `IPv${family}`;
}
