import {type Family, familyOf, normalizeAddress} from '../lib/network.ts';
import {LAST_PORT} from '../lib/port-ranges.ts';
import {INTERFACE_PATTERN} from '../policy/interface-pattern.ts';
import {LOG_PREFIX} from './model.ts';
import {canonicalProtocol} from './protocol-names.ts';

/** A packet that a LOG rule of fw-wizard has written down. */
export type LoggedPacket = {
	readonly family: Family;
	readonly inInterface: string;
	readonly source: string;
	readonly destination: string;
	/** In the spelling of a rule set. */
	readonly protocol: string;
	/** Of the protocols that have ports. */
	readonly port?: number;
	/** The packet was to be forwarded to a container or guest. */
	readonly forwarded: boolean;
};

/** No line of the kernel is longer: of a bridge, with the MAC addresses and all options. */
const LONGEST = 1000;

/** The fields up to the addresses, in the order in which the kernel writes them (nf_log_syslog.c). */
const BEGINNING =
	/^IN=(\S*) OUT=(\S*) (?:PHYSIN=\S+ )?(?:PHYSOUT=\S+ )?(?:MACSRC=\S+ MACDST=\S+ MACPROTO=\S+ |MAC=\S* )?SRC=([\da-fA-F.:]+) DST=([\da-fA-F.:]+) /;
/** What follows until the protocol has no brackets: in these, an ICMP error quotes another packet. */
const PROTOCOL =
	/^[^[\]]*? PROTO=(\w+)(?: (?:INCOMPLETE \[\d+ bytes\]|SPT=(\d+) DPT=(\d+)))?(?: |$)/;

/**
 * Reads a line of the kernel's log strictly, as others can write lines that look alike.
 * @param message without time and priority
 * @returns undefined where it is no line of a LOG rule of fw-wizard
 */
export function parseLogLine(message: string): LoggedPacket | undefined {
	if (!message.startsWith(LOG_PREFIX) || message.length > LONGEST || !/^[ -~]*$/.test(message)) {
		return undefined;
	}

	const text = message.slice(LOG_PREFIX.length).trimEnd();
	const [start, inInterface = '', out = '', from = '', to = ''] = BEGINNING.exec(text) ?? [];
	const rest = start === undefined ? '' : text.slice(start.length - 1);
	const [, name, , portText] = PROTOCOL.exec(rest) ?? [];
	const [source, destination] = [normalizeAddress(from), normalizeAddress(to)];
	const port = portText === undefined ? undefined : Number(portText);
	if (
		name === undefined ||
		source === undefined ||
		destination === undefined ||
		familyOf(source) !== familyOf(destination) ||
		!INTERFACE_PATTERN.test(inInterface) ||
		(out !== '' && !INTERFACE_PATTERN.test(out)) ||
		(port !== undefined && port > LAST_PORT)
	) {
		return undefined;
	}

	const family = familyOf(source);
	return {
		...{family, inInterface, source, destination},
		protocol: canonicalProtocol(name.toLowerCase() === 'icmpv6' ? 'ipv6-icmp' : name.toLowerCase()),
		...(port === undefined ? {} : {port}),
		forwarded: out !== '',
	};
}
