import type {Published} from '../existing/nat/published-ports.ts';
import {describeSession} from '../host/sockets/describe-session.ts';
import {describePublicAddress} from '../lib/address-scope.ts';
import {printJson} from '../lib/json.ts';
import {printEndpoint} from '../lib/network.ts';
import {printOpening} from '../policy/opening.ts';
import type {Listener} from '../services/listener.ts';
import {openingForUse, type ProtocolUse} from '../services/protocol-use.ts';
import {type FactSheet, makeFactSheet, maskFacts} from './fact-sheet.ts';

type FactsFlags = {readonly json?: boolean; readonly mask?: boolean};

/** `fw-wizard facts`: what was found out about this machine, for bug reports. Changes nothing. */
export async function facts(flags: FactsFlags): Promise<string> {
	const found = await makeFactSheet();
	const sheet = flags.mask ? maskFacts(found) : found;
	return flags.json
		? printJson({version: FW_WIZARD_VERSION, ...sheetToJson(sheet)})
		: printSheet(sheet);
}

/** The JSON fields that scripts know: a remote session's access ports are its `doors`. */
function sheetToJson({session, ...rest}: FactSheet) {
	if (session.kind !== 'remote') {
		return {...rest, session};
	}

	const {accessPorts, ...known} = session;
	return {...rest, session: {...known, doors: accessPorts}};
}

/** The facts as text, one a line. */
function printSheet(sheet: FactSheet): string {
	const {iptables, nft, interfaces, listeners, published, neighbours, recommended, missing} = sheet;
	const addresses = interfaces.flatMap((one) => one.addresses);
	return [
		`fw-wizard: ${FW_WIZARD_VERSION}`,
		`Kernel: ${sheet.kernel}`,
		`Distribution: ${sheet.distribution}`,
		`Init system: ${sheet.init}`,
		`iptables: ${typeof iptables === 'string' ? iptables : `${iptables.version} (${iptables.backend})`}`,
		`nft: ${nft}`,
		`IPv6: ${sheet.ipv6}`,
		`Root: ${sheet.root ? 'yes' : `no; ${sheet.elevation === 'absent' ? 'neither sudo nor su is' : `${sheet.elevation} is`} there`}`,
		`May administer the network: ${yesOrNo(sheet.netAdmin)}`,
		`Namespaces: ${sheet.namespaces}`,
		`You: ${describeSession(sheet.session)}`,
		...section(
			'Interfaces',
			interfaces.map(
				({name, addresses: own}) =>
					`${name} ${own.map(({cidr, scope}) => `${cidr} (${scope})`).join(', ')}`,
			),
		),
		`NAT: ${describePublicAddress(addresses)}`,
		...section('Listens', listeners === 'unknown' ? listeners : listeners.map(printListener)),
		...section(
			'Protocols without ports',
			sheet.protocols === 'unknown' ? sheet.protocols : sheet.protocols.map(printUse),
		),
		...section('Forwarded', published === 'unknown' ? published : published.map(printPublished)),
		...section(
			'Neighbours',
			neighbours === 'unknown'
				? neighbours
				: neighbours.map(({name, does, means}) => `${name}: ${does}. ${means}`),
		),
		`Recommended role: ${recommended === 'unknown' ? recommended : `${recommended.role}: ${recommended.reason}`}`,
		...(missing.length > 0 ? section('Missing', missing) : []),
		'',
	].join('\n');
}

function section(title: string, lines: readonly string[] | 'unknown'): readonly string[] {
	return lines === 'unknown' || lines.length === 0
		? [`${title}: ${lines === 'unknown' ? lines : 'nothing'}`]
		: [`${title}:`, ...lines.map((line) => `  ${line}`)];
}

function printListener(listener: Listener): string {
	const {protocol, address, families, port, on, reach, process, pid, user, unit, socketUnit} =
		listener;
	return [
		`${printEndpoint(address, port)}/${protocol}${on === undefined ? '' : ` on ${on}`}`,
		families.map((family) => `IPv${family}`).join('+') +
			(listener.ipv4Unknown ? ' (IPv4 unknown)' : ''),
		reach,
		process === undefined
			? listener.kernel
				? 'the kernel'
				: 'process unknown'
			: `${process} ${pid}`,
		...(user === undefined ? [] : [`as ${user}`]),
		...[socketUnit, unit].filter((name) => name !== undefined),
		...(listener.container === undefined ? [] : [`in a container of ${listener.container}`]),
	].join(', ');
}

function printUse(use: ProtocolUse): string {
	const {families, by, how, pid, unit, peer} = use;
	return [
		printOpening(openingForUse(use)),
		families.map((family) => `IPv${family}`).join('+'),
		`${by}${pid === undefined ? '' : ` ${pid}`}`,
		...(how.endsWith(' socket') ? [how] : []),
		...(peer === undefined ? [] : [`from ${peer}`]),
		...(unit === undefined ? [] : [unit]),
	].join(', ');
}

function printPublished(published: Published): string {
	const {address, port, last, protocol, from, on, to, by, container, image} = published;
	return [
		`${printEndpoint(address, port)}${last === undefined ? '' : `-${last}`}/${protocol}`,
		...(from === undefined ? [] : [`from ${from}`]),
		...(on === undefined ? [] : [`on ${on}`]),
		`to ${to}, by ${by}`,
		...(container === undefined
			? []
			: [`(container ${container}${image === undefined ? '' : `, image ${image}`})`]),
	].join(' ');
}

function yesOrNo(value: boolean | 'unknown'): string {
	return value === 'unknown' ? value : value ? 'yes' : 'no';
}
