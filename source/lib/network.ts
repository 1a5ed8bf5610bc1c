import ipaddr from 'ipaddr.js';
import {InputError} from './errors.ts';
import {printable} from './printable.ts';

/** An address family by its IP version. */
export type Family = 4 | 6;

export const FAMILIES: readonly Family[] = [4, 6];

/** A network. `cidr` is canonical: host bits zero, IPv6 spelt as in RFC 5952, always with a prefix length. */
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
	const family = address.kind() === 'ipv4' ? 4 : 6;
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

/**
 * The canonical spelling of what another program wrote, also of IPv4-mapped addresses.
 * @returns undefined where the text is no address
 */
export function normalizeAddress(text: string): string | undefined {
	if (FOUR_PARTS.test(text)) {
		return text;
	}

	const address = readAddress(text);
	return address && formatAddress(address);
}

/**
 * The family of a network and the bits of its prefix, as text: `4` and eight digits for 10.0.0.0/8. A
 * network contains another one if the other one's bits begin with its own. Without a network the
 * text is empty, since "anywhere" contains all networks.
 */
export function prefixBits(network: Network | undefined): string {
	if (network === undefined) {
		return '';
	}

	return remembered(CIDR_BITS, network.cidr, readCidrBits);
}

/** The network of a family and prefix bits: the reverse of `prefixBits`. */
export function networkOfBits(text: string): Network {
	const family = text.startsWith('4') ? 4 : 6;
	const bits = text.slice(1).padEnd(family === 4 ? 32 : 128, '0');
	const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
	return {family, cidr: `${formatAddress(ipaddr.fromByteArray(bytes))}/${text.length - 1}`};
}

/** The family of an address and its bits, as text: what `prefixBits` gives for a network of one address. */
export function addressBits(address: string): string {
	return remembered(ADDRESS_BITS, address, (text) => bitsOf(ipaddr.parse(text)));
}

/** Whether `address` is in the network `cidr`. It is not where the two are of different families. */
export function contains(cidr: string, address: string): boolean {
	return addressBits(address).startsWith(remembered(CIDR_BITS, cidr, readCidrBits));
}

function readCidrBits(cidr: string): string {
	const [address, prefix] = parseCidr(cidr);
	return bitsOf(address).slice(0, 1 + prefix);
}

function bitsOf(address: Address): string {
	const bits = address.toByteArray().map((byte) => byte.toString(2).padStart(8, '0'));
	return `${address.kind() === 'ipv4' ? 4 : 6}${bits.join('')}`;
}

/**
 * Bits by text. Each text is read once: the wizard merges all openings at every key, and a proof compares each
 * packet with each source of the rules.
 */
const CIDR_BITS = new Map<string, string>();
const ADDRESS_BITS = new Map<string, string>();
const MOST_REMEMBERED = 50_000;

function remembered(known: Map<string, string>, text: string, read: (text: string) => string) {
	const found = known.get(text);
	if (found !== undefined) {
		return found;
	}

	const bits = read(text);
	if (known.size >= MOST_REMEMBERED) {
		known.clear();
	}

	known.set(text, bits);
	return bits;
}

const MULTICAST = ['224.0.0.0/4', 'ff00::/8'];

/** Whether the addresses of a network, or an address, are multicast (RFC 5771, RFC 4291 section 2.7). */
export function isMulticast(cidr: string): boolean {
	return MULTICAST.some((networks) => contains(networks, stripPrefixLength(cidr)));
}

/**
 * Reads a network in its canonical form. ipaddr.js alone would try IPv6 first, and the error that it
 * makes for IPv4 costs more than all else here.
 */
export function parseCidr(cidr: string): readonly [Address, number] {
	return familyOf(cidr) === 6 ? ipaddr.IPv6.parseCIDR(cidr) : ipaddr.IPv4.parseCIDR(cidr);
}

/** The address of a network or of an interface: `10.0.0.1/8` becomes `10.0.0.1`. */
export function stripPrefixLength(cidr: string): string {
	return cidr.split('/')[0] ?? cidr;
}

/** A network as a person writes it: without the prefix length where it is a single address. */
export function printNetwork({cidr}: Pick<Network, 'cidr'>): string {
	return cidr.replace(familyOf(cidr) === 6 ? /\/128$/ : /\/32$/, '');
}

/** The family of an address, or of a network. */
export function familyOf(address: string): Family {
	return address.includes(':') ? 6 : 4;
}

/** The first of some addresses of a family, with or without prefix lengths, that is not link-local of IPv6. */
export function findGlobal(addresses: readonly string[], family: Family): string | undefined {
	return addresses.find((text) => familyOf(text) === family && !text.startsWith('fe80'));
}

/** `192.0.2.1:80`, `[2001:db8::1]:80` */
export function printEndpoint(address: string, port: number | string): string {
	return `${familyOf(address) === 6 ? `[${address}]` : address}:${port}`;
}

/** IPv4 in its canonical spelling. For anything else ipaddr.js would make an error with its stack. */
const FOUR_PARTS = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

function readAddress(text: string): Address | undefined {
	if (FOUR_PARTS.test(text)) {
		return ipaddr.IPv4.parse(text);
	}

	return ipaddr.IPv6.isValid(text) && !text.includes('%')
		? ipaddr.IPv6.parse(dotsToHex(text))
		: undefined;
}

/** Writes an IPv4 address at the end of an IPv6 one in hexadecimal: ipaddr.js reads `::192.0.2.1` as `::ffff:192.0.2.1`. */
function dotsToHex(text: string): string {
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
