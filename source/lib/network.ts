import ipaddr from 'ipaddr.js';
import {InputError} from './errors.ts';
import {printable} from './printable.ts';

/** An address family by its IP version. */
export type Family = 4 | 6;

export const FAMILIES: readonly Family[] = [4, 6];

/** A source network. `cidr` is canonical: host bits zero, RFC 5952 spelling, always with a prefix length. */
export type Network = {
	readonly family: Family;
	readonly cidr: string;
};

type Address = ipaddr.IPv4 | ipaddr.IPv6;

const HINT = 'Write an address or a network: 198.51.100.7, 198.51.100.0/24, 2001:db8::/32';

/**
 * Reads an IPv4 or IPv6 address or network in CIDR notation (RFC 4632, RFC 4291). Host bits are
 * cleared, as iptables does.
 * @throws {InputError} for anything else, abbreviated IPv4 and zone indices included.
 */
export function parseNetwork(text: string): Network {
	const [addressText = '', prefixText, ...rest] = text.split('/');
	const address = parseAddress(addressText);
	const family = familyOf(address);
	const width = family === 4 ? 32 : 128;
	if (rest.length > 0 || (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText))) {
		throw new InputError(`"${printable(text)}" is not a network`, HINT);
	}

	const prefix = prefixText === undefined ? width : Number(prefixText);
	if (prefix > width) {
		throw new InputError(
			`"${printable(text)}": an IPv${family} prefix is at most /${width}`,
			`Write a prefix from /0 to /${width}`,
		);
	}

	return {family, cidr: `${formatAddress(maskAddress(address, prefix))}/${prefix}`};
}

/**
 * Reads one address, strictly: four decimal parts for IPv4, no zone index for IPv6.
 * @throws {InputError}
 */
export function parseAddress(text: string): Address {
	const address = readAddress(text);
	if (address === undefined) {
		throw new InputError(`"${printable(text)}" is not an IP address`, HINT);
	}

	if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) {
		throw new InputError(
			`"${printable(text)}" is an IPv4 address written as IPv6`,
			`Write ${address.toIPv4Address().toString()}`,
		);
	}

	return address;
}

/** The one spelling of an address that this project compares and prints: RFC 5952 for IPv6. */
export function canonicalAddress(text: string): string {
	return formatAddress(parseAddress(text));
}

/** The same for what another program wrote, IPv4-mapped addresses included; undefined for no address. */
export function normalizeAddress(text: string): string | undefined {
	if (FOUR_PARTS.test(text)) {
		return text;
	}

	const address = readAddress(text);
	return address && formatAddress(address);
}

/**
 * The family and the fixed bits of a network, as text: it covers just those whose reach begins with
 * its own. An absent network is "anywhere" and covers all.
 */
export function prefixBits(network: Network | undefined): string {
	if (network === undefined) {
		return '';
	}

	const known = REACHES.get(network);
	if (known !== undefined) {
		return known;
	}

	const [address, prefix] = parseCidr(network.cidr);
	const bits = address.toByteArray().map((byte) => byte.toString(2).padStart(8, '0'));
	const reach = `${network.family}${bits.join('').slice(0, prefix)}`;
	REACHES.set(network, reach);
	return reach;
}

/** The network whose reach this is: the reverse of `reachOf`, which see. */
export function networkOf(reach: string): Network {
	const family = reach.startsWith('4') ? 4 : 6;
	const bits = reach.slice(1).padEnd(family === 4 ? 32 : 128, '0');
	const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
	return {family, cidr: `${formatAddress(ipaddr.fromByteArray(bytes))}/${reach.length - 1}`};
}

/** Found out once for each network: the wizard merges all openings at every key. */
const REACHES = new WeakMap<Network, string>();

/** Whether `address` lies in `cidr`. Both must be of one family, else the answer is no. */
export function contains(cidr: string, address: string): boolean {
	const [base, prefix] = parseCidr(cidr);
	const candidate = ipaddr.parse(address);
	return base.kind() === candidate.kind() && candidate.match([base, prefix] as never);
}

/** A network in its canonical form. ipaddr.js takes each first for IPv6, and its error costs more than all else. */
export function parseCidr(cidr: string): readonly [Address, number] {
	return cidr.includes(':') ? ipaddr.IPv6.parseCIDR(cidr) : ipaddr.IPv4.parseCIDR(cidr);
}

/** A network as a person writes it: without the prefix length where it is a single address. */
export function printNetwork({family, cidr}: Network): string {
	return cidr.replace(family === 4 ? /\/32$/ : /\/128$/, '');
}

function familyOf(address: Address): Family {
	return address.kind() === 'ipv4' ? 4 : 6;
}

/** IPv4 in its one spelling. To ask ipaddr.js of anything else costs it an error with its stack. */
const FOUR_PARTS = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

function readAddress(text: string): Address | undefined {
	if (FOUR_PARTS.test(text)) {
		return ipaddr.IPv4.parse(text);
	}

	return ipaddr.IPv6.isValid(text) && !text.includes('%')
		? ipaddr.IPv6.parse(withoutDots(text))
		: undefined;
}

/** ipaddr.js takes `::192.0.2.1` for `::ffff:192.0.2.1`; what has no dots it reads right. */
function withoutDots(text: string): string {
	return text.replace(
		/(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
		(_, ...[a, b, c, d]) =>
			`${(a * 256 + Number(b)).toString(16)}:${(c * 256 + Number(d)).toString(16)}`,
	);
}

function formatAddress(address: Address): string {
	return address.kind() === 'ipv6'
		? (address as ipaddr.IPv6).toRFC5952String()
		: address.toString();
}

function maskAddress(address: Address, prefix: number): Address {
	const bytes = address
		.toByteArray()
		.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - index * 8))) & 0xff);
	return ipaddr.fromByteArray(bytes);
}
