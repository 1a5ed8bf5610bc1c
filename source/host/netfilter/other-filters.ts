import {joinSome} from '../../lib/list.ts';
import {printable} from '../../lib/printable.ts';
import {ask} from '../exec/run.ts';
import {listFolder, readText} from '../files/read-text.ts';

/** Rules that ip-rule(8) prints on a machine whose routes depend on the destination alone. */
const USUAL_RULE = /^\d+:\s+from all lookup (?:local|main|default)\s*$/;
/** Of more things of a kind, the others are counted. */
const MOST_NAMED = 3;

/**
 * What may decide on packets beside netfilter, and has no copy in a testbed: policy routing (ip-rule(8)),
 * traffic control (tc(8)), XDP, IPsec policies (ip-xfrm(8)) and what units of the administrator filter
 * (systemd.resource-control(5)). One phrase each, safe to print. Other programs of control groups (eBPF) are not found.
 * @throws {HostError} where ip(8) or tc(8) does not answer
 */
export async function findOtherFilters(): Promise<readonly string[]> {
	const [rules, qdiscs, links, xfrm] = await Promise.all([
		Promise.all(['-4', '-6'].map(async (option) => ask('ip', [option, 'rule', 'show']))),
		ask('tc', ['qdisc', 'show']),
		ask('ip', ['link', 'show']),
		ask('ip', ['xfrm', 'policy']),
	]);
	const routing = rules.flatMap((text) =>
		text.split('\n').filter((line) => line !== '' && !USUAL_RULE.test(line)),
	);
	const classified = [...qdiscs.matchAll(/^qdisc (?:clsact|ingress) .* dev (\S+)/gm)].map(
		([, name = '']) => name,
	);
	const xdp = links
		.split(/^(?=\d+: )/m)
		.filter((link) => /\bxdp(?:generic|drv|offload|multi)?\b/.test(link))
		.map((link) => /^\d+: ([^:@]+)/.exec(link)?.[1] ?? '');
	const policies = [...xfrm.matchAll(/^src (\S+) dst (\S+)[^\n]*\n\s+dir in /gm)].map(
		([, source, destination]) => `from ${source} to ${destination}`,
	);
	return [
		...named('policy routing (ip rule)', routing),
		...named('tc filters at ingress of', classified),
		...named('XDP on', xdp),
		...named('IPsec policies', policies),
		...named('address filters of systemd in', findUnitFilters()),
	];
}

const UNITS = '/etc/systemd/system';
const FILTER = /^\s*(?:IPAddressDeny|IPIngressFilterPath|RestrictNetworkInterfaces)\s*=\s*\S/m;

/** The files of units of the administrator by which systemd filters packets of their programs. */
function findUnitFilters(): readonly string[] {
	return listFolder(UNITS)
		.filter((name) => /\.(?:service|socket|slice)(?:\.d)?$/.test(name))
		.flatMap((name) =>
			name.endsWith('.d')
				? listFolder(`${UNITS}/${name}`).map((file) => `${UNITS}/${name}/${file}`)
				: [`${UNITS}/${name}`],
		)
		.filter((file) => FILTER.test(readText(file) ?? ''))
		.sort();
}

function named(kind: string, things: readonly string[]): readonly string[] {
	const unique = [
		...new Set(things.map((thing) => printable(thing.replaceAll(/\s+/g, ' ').trim(), 80))),
	];
	return unique.length === 0 ? [] : [`${kind}: ${joinSome(unique, MOST_NAMED)}`];
}
