import {firstLine, run} from '../host/exec/run.ts';
import type {Interface} from '../host/machine/interfaces.ts';
import {findGlobal, stripPrefixLength} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import type {NamedVantagePoint} from '../proof/vantage-points.ts';

/** What ip-route(8) says where there is no route at all (ENETUNREACH), which no rule has caused. */
const NO_ROUTE = /Network is unreachable/;

/**
 * Asks this machine's kernel whether it can answer the vantage points, and whether it would take packets of
 * the connected remote client: policy routing, unreachable and blackhole routes and the reverse path filter
 * decide that beside all rules of netfilter.
 * @returns one line for each that it cannot answer, safe to print
 */
export async function findRouteFaults(
	vantagePoints: readonly NamedVantagePoint[],
	interfaces: readonly Interface[],
): Promise<readonly string[]> {
	const faults = await Promise.all(
		vantagePoints
			.filter(({kind}) => kind !== 'beside')
			.map(async (vantagePoint) => faultOf(vantagePoint, interfaces)),
	);
	return [...new Set(faults.flatMap((fault) => fault ?? []))];
}

async function faultOf(
	{family, source, inInterface, destination, kind, name}: NamedVantagePoint,
	interfaces: readonly Interface[],
): Promise<string | undefined> {
	const {addresses = []} = interfaces.find((one) => one.name === inInterface) ?? {};
	const here = destination ?? findGlobal(addresses.map(stripPrefixLength), family);
	if (here === undefined) {
		return undefined;
	}

	const get = async (...words: readonly string[]) => {
		const {status, stderr} = await run('ip', [`-${family}`, 'route', 'get', ...words]);
		return status === 0 || !stderr.startsWith('RTNETLINK answers: ')
			? undefined
			: printable(firstLine(stderr).replace('RTNETLINK answers: ', ''), 80);
	};
	const [answer, arrival] = await Promise.all([
		get(source, 'from', here),
		kind === 'client' ? get(here, 'from', source, 'iif', inInterface) : undefined,
	]);
	const see = `see: ip rule; ip route get ${source} from ${here}`;
	if (answer !== undefined && (kind === 'client' || !NO_ROUTE.test(answer))) {
		return `answers to ${kind === 'client' ? name : `${source} (${name})`} do not leave over IPv${family}: the routes say "${answer}"; ${see}`;
	}

	return arrival === undefined
		? undefined
		: `packets of ${name} are not taken on ${inInterface}: the routes say "${arrival}"; see: sysctl net.ipv4.conf.all.rp_filter; ip rule`;
}
