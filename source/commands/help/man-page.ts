import {
	FLOOR_FILE,
	JOURNAL_FILE,
	POLICY_FILE,
	RESTORE_FILE,
	WATCH_CHOICE_FILE,
	WATCH_FILE,
	WATCH_STATE_DIR,
} from '../../change/paths.ts';
import {IP_PROTOCOLS} from '../../policy/ip-protocols.ts';
import type {Flag, Syntax} from './command-tree.ts';

/** The meaning of each exit code. */
const EXIT_CODES: ReadonlyArray<readonly [string, string]> = [
	['0', 'done, or all is well'],
	['1', 'a check or proof found a difference, or there was nothing to confirm or undo'],
	['2', 'wrong usage or an invalid policy; nothing was touched'],
	['3', 'not possible here (not root, no iptables, no namespaces), with the way out'],
	['4', 'the change was rolled back'],
	['130', 'the wizard was left with Ctrl-C before anything was loaded'],
];

const OPENINGS: ReadonlyArray<readonly [string, string]> = [
	['22/tcp', 'a port; tcp, udp or sctp'],
	['53', 'a port, tcp and udp'],
	['ssh', 'a service by its name in /etc/services'],
	['8000-8010/tcp', 'a range; 8000:8010/tcp as well'],
	['80 443', 'several, with the same "from", "on" and "limit"'],
	['22/tcp from 198.51.100.0/24', 'only from an IPv4 or IPv6 address or network'],
	['22/tcp from 10.0.0.0/8, fd00::/8', 'from several; each family has its own'],
	['5432/tcp on wg0', 'only through an interface'],
	['22/tcp limit', 'six new connections a minute from one source'],
	['mdns', 'local discovery: printers, casting devices'],
	['ssdp', 'UPnP discovery: media servers, televisions, routers; from local networks'],
	...IP_PROTOCOLS.map(({name, purpose, families}): readonly [string, string] => [
		name,
		families.length === 1 ? `${purpose}; IPv4 only` : purpose,
	]),
	['protocol 103', 'an IP protocol by its number, 2 to 254'],
];

const FILES: ReadonlyArray<readonly [string, string]> = [
	[POLICY_FILE, 'the policy that was kept last'],
	[RESTORE_FILE, 'its rules, in a script that loads them at boot'],
	[FLOOR_FILE, 'its least rules, which the boot loads where that script is damaged'],
	[WATCH_FILE, 'a script that watches over the loaded rules, after a boot and every few minutes'],
	[WATCH_CHOICE_FILE, 'how you want them watched, where you have said it'],
	[WATCH_STATE_DIR, 'what that script remembers and has found'],
	[JOURNAL_FILE, 'who changed what, and what came of it'],
];

/**
 * The manual page (man(7), section 8), made from the same tree as `--help`.
 * @param version as in "0.1.0"
 */
export function printManual(root: Syntax, version: string): string {
	const known = new Set(root.flags.map((flag) => JSON.stringify(flag)));
	const commands = root.commands.flatMap(({name, description, usage, argument, flags}) => {
		const own = flags.filter((flag) => !known.has(JSON.stringify(flag)));
		const shared = flags.filter((flag) => known.has(JSON.stringify(flag)));
		return [
			`.SS ${quoted(`${root.name} ${name} ${usage}`)}`,
			sentence(description),
			...(argument ? termLines(argument.name, argument.description, argument.words) : []),
			...own.flatMap(flagLines),
			...(shared.length > 0
				? ['.PP', `Also, as above: ${shared.map((flag) => bold(flag.name)).join(', ')}.`]
				: []),
		];
	});
	return [
		`.TH FW\\-WIZARD 8 "" "fw\\-wizard ${escaped(version)}" "System Administration"`,
		'.SH NAME',
		'fw\\-wizard \\- gives a Linux machine a host firewall, and proves it',
		'.SH SYNOPSIS',
		'.B fw\\-wizard',
		escaped(root.usage),
		'.SH DESCRIPTION',
		escaped(root.description),
		'.SH OPTIONS',
		...root.flags.flatMap(flagLines),
		'.SH COMMANDS',
		...commands,
		'.SH OPENINGS',
		...OPENINGS.flatMap(entry),
		'.SH EXIT STATUS',
		...EXIT_CODES.flatMap(entry),
		'.SH FILES',
		...FILES.flatMap(entry),
		'.SH SEE ALSO',
		'.BR iptables (8),',
		'.BR ip6tables (8),',
		'.BR nft (8),',
		'.BR nmap (1)',
		'',
	].join('\n');
}

function flagLines({name, placeholder, value, description}: Flag): readonly string[] {
	const term = placeholder === undefined ? name : `${name} ${placeholder}`;
	return termLines(term, description, typeof value === 'object' ? value : []);
}

/** A term with its description. @param words the values that it takes; none where it takes others too */
function termLines(term: string, text: string, words: readonly string[]): readonly string[] {
	const list = words.length > 1 ? [sentence(`One of: ${words.join(', ')}`)] : [];
	return [...entry([term, text]), ...list];
}

function entry([term, text]: readonly [string, string]): readonly string[] {
	return ['.TP', `.B ${quoted(term)}`, sentence(text)];
}

function sentence(text: string): string {
	const whole = escaped(text.charAt(0).toUpperCase() + text.slice(1));
	return /[.?]$/.test(text) ? whole : `${whole}.`;
}

function bold(text: string): string {
	return `\\fB${escaped(text)}\\fR`;
}

/** Text as one argument of a macro of roff. */
function quoted(text: string): string {
	return `"${escaped(text).replaceAll('"', '\\(dq')}"`;
}

/** Text for roff: a minus stays one that can be copied, and no line becomes a request. */
function escaped(text: string): string {
	return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/, '\\&$&');
}
