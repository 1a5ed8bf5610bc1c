import {
	BOOT_FILE,
	CHANGES_DIR,
	COMMAND_FILE,
	FLOOR_FILE,
	JOURNAL_FILE,
	LAST_CHECK_FILE,
	LAST_PROOF_FILE,
	LOCK_FILE,
	POLICY_FILE,
	RESTORE_FILE,
	TICKS_FILE,
	WATCH_CHOICE_FILE,
	WATCH_FILE,
	WATCH_MOTD_FILE,
	WATCH_STATE_DIR,
} from '../../change/paths.ts';
import {INSTALLED_COMMAND, INSTALLED_DIR} from '../../host/exec/installed.ts';
import {IP_PROTOCOLS} from '../../policy/ip-protocols.ts';
import type {Flag, Syntax} from './command-tree.ts';
import {type Example, examplesOf} from './examples.ts';
import {REFERENCE, type Section} from './reference.ts';

/** The meaning of each exit code. */
const EXIT_CODES: ReadonlyArray<readonly [string, string]> = [
	['0', 'done, or all is well'],
	[
		'1',
		'a check, a proof or diff found a difference, status found the firewall inactive or changed, or there was nothing to confirm or undo',
	],
	['2', 'wrong usage or an invalid policy; nothing was touched'],
	['3', 'not possible here (not root, no iptables, no namespaces), with the way out'],
	['4', 'the change was rolled back'],
	['130', 'Ctrl-C ended the wizard before anything was loaded'],
];

const OPENINGS: ReadonlyArray<readonly [string, string]> = [
	['22/tcp', 'a port; tcp, udp or sctp'],
	['53', 'a port, tcp and udp'],
	['ssh', 'a service by its name in /etc/services'],
	['8000-8010/tcp', 'a range; 8000:8010/tcp as well'],
	['80 443', 'several, with the same "from", "on" and "limit"'],
	['22/tcp from 198.51.100.0/24', 'only from an IPv4 or IPv6 address or network'],
	['22/tcp from 10.0.0.0/8, fd00::/8', 'from several; each family has its own'],
	[
		'443/tcp from @office',
		'from a named group of sources, which --source, the policy file or the applied policy defines; also beside networks: from @office, 10.0.0.0/8',
	],
	['5432/tcp on wg0', 'only through an interface'],
	['5432/tcp on br-+', 'through all interfaces whose names begin so: the networks of Docker'],
	['22/tcp limit', 'six new connections a minute from one source'],
	[
		'8080/tcp until 2026-11-29T18:00:00Z',
		'open until a time of UTC, which the kernel ends by itself, also after a boot (xt_time). Connections that exist then stay until they end. A clock that is wrong, as at the boot of a machine without one, may open it again until it is set',
	],
	[
		'443/tcp comment "Web"',
		'what it is for, in at most 255 bytes, which its rules keep (xt_comment); \\" stands for a quotation mark in it',
	],
	['mdns', 'local discovery: printers, casting devices'],
	['ssdp', 'UPnP discovery: media servers, televisions, routers; from local networks'],
	...IP_PROTOCOLS.map(({name, purpose, families}): readonly [string, string] => [
		name,
		families.length === 1 ? `${purpose}; IPv4 only` : purpose,
	]),
	['protocol 103', 'an IP protocol by its number, 2 to 254'],
];

const PUBLISHED: readonly string[] = [
	'Packets to ports that containers publish are forwarded and do not pass INPUT. With --published policy the openings govern these ports as well: 8080/tcp, "8080/tcp from 198.51.100.0/24", limits too. Rules in the mangle table, evaluated before those of Docker and podman, drop new connections from outside to what is not open, whatever the verdict; the rules of Docker and podman stay as they are.',
	'Answers, what containers and guests send, packets of this machine and among containers are left alone. Nobody from outside reaches a container by its own address.',
	'With --published leave these ports are as their program makes them. Without the flag it is as in the policy that was applied last; where there is none, policies govern published ports where something is published, and apply refuses to block one that it was not told to block.',
	'In a cluster (Kubernetes) and for the routing mesh of Docker Swarm published ports are left: they are the same on every node.',
];

const JSON_OUTPUT =
	'With --json a command prints JSON alone on standard output: its result, or {"error": {"message", "advice", "code"}}. Times are UTC as in ISO 8601. fw-wizard schema NAME prints the JSON Schema of a result, of a failure (error) and of a policy file (policy). Later versions may add fields';

/** The fields of a policy file, and what they take. */
const FIELDS: ReadonlyArray<readonly [string, string]> = [
	['version', 'always 1'],
	[
		'role',
		'what the machine is: workstation or server; besides version the only field that may not be left out',
	],
	['verdict', 'what happens to the rest: reject, reset or drop'],
	['helpers', 'a list of conntrack helpers'],
	['openings', 'a list of openings, as above'],
	[
		'sources',
		'groups of sources for openings "from @NAME", by their names (a to z, digits and dashes, at most 13): {"office": ["198.51.100.0/24", "2001:db8::/32"], "cdn": {"file": "/etc/cdn.txt"}}. The file has one network a line, # begins a comment, and only root may write it. "networks" beside "file" is what was read from it; undo and the boot need no file',
	],
	['blocked', 'a list of addresses and networks from which everything is blocked'],
	['log', 'whether blocked packets are logged: true or false'],
	['published', 'what decides on published ports: policy or leave; leave where it is left out'],
	[
		'inner',
		'with "published": "policy", the interfaces behind which are containers and guests, as a list; a name may end in +, which stands for any rest. apply puts in those of the machine where the usual ones (docker+, br-+, podman+, virbr+ and others) do not fit',
	],
];

const FILES: ReadonlyArray<readonly [string, string]> = [
	[POLICY_FILE, 'the policy that was confirmed last'],
	[RESTORE_FILE, 'its rules for IPv4 and IPv6, in a script that loads them at boot'],
	[FLOOR_FILE, 'its least rules, which the boot loads where that script is damaged'],
	[BOOT_FILE, 'what loads the rules at boot, where --boot has said it'],
	[WATCH_FILE, 'a script that watches the loaded rules, after a boot and every few minutes'],
	[WATCH_CHOICE_FILE, 'how the rules are watched, where watch on or off has said it'],
	[
		'/etc/systemd/system/fw-wizard.service',
		'runs the script before the network comes up; elsewhere /etc/init.d/fw-wizard and fw-wizard-again, or /etc/network/if-pre-up.d/fw-wizard',
	],
	[
		'/etc/systemd/system/fw-wizard-watch.service, -watch.timer, -look.service',
		'run the watch; elsewhere the init script and /etc/cron.d/fw-wizard',
	],
	['/etc/modules-load.d/fw-wizard.conf', 'the modules of the chosen helpers'],
	[CHANGES_DIR, 'the last 20 changes, each with the script that undoes it'],
	[LAST_CHECK_FILE, 'what check found last, which status shows'],
	[LAST_PROOF_FILE, 'the last proof of the policy that was applied, which report shows'],
	[JOURNAL_FILE, 'who changed what, and the outcome (JSON lines)'],
	[TICKS_FILE, 'what was noted with check --tick'],
	[WATCH_STATE_DIR, 'what the watch remembers and has found'],
	[WATCH_MOTD_FILE, 'what the watch reports at logins'],
	[COMMAND_FILE, 'the command that checks the firewall, which scripts print'],
	[LOCK_FILE, 'the lock on changes'],
	[`${INSTALLED_DIR}, ${INSTALLED_COMMAND}`, 'the program, where --install has put it there'],
	['~/.cache/fw-wizard', 'a Node that was downloaded for servers of --host'],
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
			escaped(description),
			...(argument ? termLines(argument.name, argument.description, argument.words) : []),
			...own.flatMap(flagLines),
			...(shared.length > 0
				? ['.PP', `Also, as above: ${shared.map((flag) => bold(flag.name)).join(', ')}.`]
				: []),
			...examplesOf(name).flatMap(exampleLines),
		];
	});
	return [
		`.TH FW\\-WIZARD 8 "" "fw\\-wizard ${escaped(version)}" "System Administration"`,
		// Flags and commands are to be copied whole.
		'.nh',
		'.SH NAME',
		'fw\\-wizard \\- gives a Linux machine a host firewall, and proves it',
		'.SH SYNOPSIS',
		'.B fw\\-wizard',
		escaped(root.usage),
		'.SH DESCRIPTION',
		escaped(root.description),
		'.SH OPTIONS',
		...root.flags.flatMap(flagLines),
		...examplesOf('').flatMap(exampleLines),
		'.SH COMMANDS',
		...commands,
		'.SH OPENINGS',
		...OPENINGS.flatMap(entry),
		'.SH PUBLISHED PORTS',
		...PUBLISHED.flatMap((text) => ['.PP', escaped(text)]),
		'.SH POLICY FILE',
		'JSON, as the "policy" in the output of: fw\\-wizard rules \\-\\-role server \\-\\-format json',
		...FIELDS.flatMap(entry),
		...REFERENCE.flatMap(sectionLines),
		'.SH JSON',
		escaped(`${JSON_OUTPUT}.`),
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
	const list = words.length > 1 ? [`(${words.map(escaped).join(', ')})`] : [];
	return [...entry([term, text]), ...list];
}

function entry([term, text]: readonly [string, string]): readonly string[] {
	return ['.TP', `.B ${quoted(term)}`, escaped(text)];
}

function exampleLines({args, does}: Example): readonly string[] {
	return ['.PP', `${escaped(does)}:`, '.br', `.B ${quoted(`fw-wizard ${args}`.trimEnd())}`];
}

function sectionLines({title, paragraphs, entries = []}: Section): readonly string[] {
	return [
		`.SH ${quoted(title)}`,
		...paragraphs.flatMap((text) => ['.PP', escaped(text)]).slice(1),
		...entries.flatMap(entry),
	];
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
