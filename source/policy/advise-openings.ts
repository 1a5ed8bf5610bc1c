import {isInterface} from './interface-pattern.ts';
import type {IpProtocol} from './ip-protocols.ts';
import {type Opening, type PortOpening, shortOpening} from './opening.ts';

/** The ports of mosh(1): each session takes one of them. */
const MOSH = {first: 60_000, last: 61_000} as const;
/** The ports by which IPsec negotiates keys (IKE), the second one also behind NAT (RFC 7296, RFC 3948). */
const IKE = [500, 4500] as const;

/**
 * What a user should know about openings that do little alone, one sentence each. Nothing is opened
 * because of it.
 * @param interfaces the names of all interfaces, each with the bridge or bond that it is part of; undefined
 * where they are not known
 */
export function adviseOpenings(
	openings: readonly Opening[],
	interfaces: ReadonlyMap<string, string | undefined> | undefined,
): readonly string[] {
	const missing = openings.filter(
		({on}) =>
			on !== undefined &&
			interfaces !== undefined &&
			![...interfaces.keys()].some((name) => isInterface(on, name)),
	);
	const names = [...new Set(missing.map(({on}) => on))];
	return [
		...names.map((name) => {
			const texts = missing.filter(({on}) => on === name).map(shortOpening);
			return `There is no interface ${name} now: ${texts.join(', ')} ${texts.length === 1 ? 'opens' : 'open'} nothing until it exists.`;
		}),
		...adviseParts(openings, interfaces ?? new Map()),
		...adviseIpsec(openings),
		...(openings.some(isMosh) && !opensPort(openings, 'tcp', 22)
			? ['mosh begins with a login over SSH: it needs 22/tcp as well.']
			: []),
	];
}

/**
 * That a login over SSH is possible only until an opening ends, a sentence for each port.
 * @param ports of TCP by which the user logs in
 */
export function adviseEnds(
	openings: readonly Opening[],
	ports: readonly number[],
): readonly string[] {
	const lasting = openings.filter(({until}) => until === undefined);
	return ports
		.filter((port) => opensPort(openings, 'tcp', port) && !opensPort(lasting, 'tcp', port))
		.map((port) => `The opening of ${port}/tcp ends: after that you cannot log in through it.`);
}

/** Openings on interfaces whose packets come in on another one. */
function adviseParts(
	openings: readonly Opening[],
	interfaces: ReadonlyMap<string, string | undefined>,
): readonly string[] {
	const texts = openings.flatMap((opening) => {
		const {on} = opening;
		const here = [...interfaces].filter(([name]) => on !== undefined && isInterface(on, name));
		const [[, master] = []] = here;
		return master === undefined || here.some(([, one]) => one === undefined)
			? []
			: [
					`What comes in on ${on} belongs to ${master}: ${shortOpening(opening)} opens nothing. Write: ${shortOpening({...opening, on: master})}`,
				];
	});
	return [...new Set(texts)];
}

/** The packets of IPsec, and the ports by which its keys are negotiated, are of use together. */
function adviseIpsec(openings: readonly Opening[]): readonly string[] {
	const words = openings.flatMap((opening) =>
		opening.kind === 'protocol' && isIpsec(opening.protocol) ? [opening.protocol.name] : [],
	);
	const closed = IKE.filter((port) => !opensPort(openings, 'udp', port));
	if (words.length > 0) {
		return closed.length === 0
			? []
			: [
					`IPsec negotiates its keys over 500/udp and 4500/udp: ${[...new Set(words)].join(' and ')} may need ${closed.map((port) => `${port}/udp`).join(' and ')} as well.`,
				];
	}

	return openings.some((opening) => isExactly(opening, 500))
		? ['500/udp negotiates the keys of IPsec: peers that are not behind NAT send esp as well.']
		: [];
}

function isIpsec({name}: IpProtocol): boolean {
	return name === 'esp' || name === 'ah';
}

function isMosh(opening: Opening): boolean {
	return (
		opening.kind === 'port' &&
		opening.protocol === 'udp' &&
		opening.first === MOSH.first &&
		opening.last === MOSH.last
	);
}

function isExactly(opening: Opening, port: number): opening is PortOpening {
	return (
		opening.kind === 'port' &&
		opening.protocol !== 'tcp' &&
		opening.first === port &&
		opening.last === port
	);
}

function opensPort(openings: readonly Opening[], protocol: 'tcp' | 'udp', port: number): boolean {
	return openings.some(
		(opening) =>
			opening.kind === 'port' &&
			(opening.protocol === protocol || opening.protocol === 'both') &&
			opening.first <= port &&
			port <= opening.last,
	);
}
