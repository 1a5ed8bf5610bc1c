import {writeFileSync} from 'node:fs';
import type {RunResult} from '../../source/host/exec/run.ts';
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {cksum} from '../../source/lib/cksum.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import type {Host, Lab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {ownLines, plain} from '../_helpers/samples/saves.ts';
import {FLAGS} from '../_helpers/ui/journey.ts';

export const SCRIPT = '/etc/firewall.sh';
export const STATE = '/run/fw-wizard-export';
/** What the machine kept before: both families closed; only IPv4; neither. */
export const STARTS = ['closed', 'half', 'bare'] as const;
export type Start = (typeof STARTS)[number];

/**
 * What happens to the n-th program that the script starts: it fails; the script and all that it started
 * is killed before or after it; the script alone is killed, and the program still runs. And `stop`: all is
 * stopped, as by Ctrl-Z.
 */
export const FAULTS = ['fail', 'before', 'after', 'orphan'] as const;
/** System calls of the shell itself, and how each of them can fail. */
export const CALLS = {
	clone: 'EAGAIN',
	vfork: 'EAGAIN',
	pipe2: 'EMFILE',
	openat: 'EMFILE',
	write: 'ENOSPC',
	newfstatat: 'EIO',
	read: 'EIO',
	fcntl: 'EMFILE',
} as const;
export type Call = keyof typeof CALLS;
type Fault = (typeof FAULTS)[number] | 'stop' | 'error' | 'kill';
/** With a call, the n-th one of the shell itself fails, or the shell is killed at it. */
export type Injection = {
	readonly at: number;
	readonly fault: Fault;
	readonly call?: Call | undefined;
};

/** What can be seen of the machine: our rules of each family, the files of the boot, a change that waits. */
export type Seen = {
	readonly ipv4: string;
	readonly ipv6: string;
	readonly files: string;
	readonly waits: boolean;
	readonly watchdogs: number;
};

export type Exported = {
	readonly host: Host;
	readonly run: (word: string, injection?: Injection, seconds?: string) => Promise<RunResult>;
	/** How many programs the script starts. */
	readonly count: (word: string, call?: Call) => Promise<number>;
	readonly reset: (start: Start) => Promise<void>;
	readonly see: () => Promise<Seen>;
	readonly endWatchdogs: () => Promise<void>;
	/** The machine with the rules of the script loaded and kept. */
	readonly wanted: Seen;
};

/** The log of the programs that a run with an injection has started. */
export const STEPS = '/usr/local/sbin/.steps';
const STEPPED = [
	...['iptables', 'iptables-restore', 'ip6tables', 'ip6tables-restore', 'modprobe', 'sh'],
	...['cat', 'chmod', 'cksum', 'cmp', 'cp', 'flock', 'id', 'mkdir', 'mv', 'readlink'],
	...['rm', 'rmdir', 'sed', 'setsid', 'sync', 'systemctl'],
];

/** Stands for each program ahead of it in the PATH of the script, and counts. */
const STEP = `#!/bin/dash
name=\${0##*/}
for folder in /usr/sbin /usr/bin; do
	[ ! -x "$folder/$name" ] || real=$folder/$name
done
if [ -e ${STEPS}/at ]; then
	echo "$name" >>${STEPS}/log
	count=0
	while read -r line; do count=$((count + 1)); done <${STEPS}/log
	read -r at fault main <${STEPS}/at
	[ "$count" != "$at" ] || case $fault in
	fail) exit 1 ;;
	before) kill -9 "-$main" ;;
	after) "$real" "$@"; kill -9 "-$main" ;;
	orphan) kill -9 "$main" ;;
	stop) kill -STOP "-$main" ;;
	esac
fi
exec "$real" "$@"
`;

const FILES =
	'fw-wizard systemd/system/fw-wizard.service* modules-load.d/fw-wizard* systemd/system/multi-user.target.wants/fw-wizard*';
/** Prints the processes of the watchdogs in this network namespace. */
const WATCHDOGS = `for file in $(grep -las "${STATE}[/]script" /proc/[0-9]*/cmdline); do
	folder=\${file%/cmdline}
	[ "$(readlink "$folder/ns/net")" != "$(readlink /proc/self/ns/net)" ] || echo "\${folder#/proc/}"
done`;

/** A machine of the test with the script of `export shell`, and an older one whose rules were kept. */
export async function openExported(lab: Lab, backend: Backend): Promise<Exported> {
	const host = await lab.host({backend});
	const sh = async (text: string) => host.must('dash', ['-c', text]);
	for (const folder of ['/run', '/usr/local/sbin', '/mnt']) {
		await host.must('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'fww-test', folder]);
	}

	const script = await wizardDoes(host, 'export', 'shell', ...FLAGS);
	const older = await wizardDoes(host, 'export', 'shell', '--role', 'server', '--open', '25/tcp');
	writeFileSync(inView(host, SCRIPT), script);
	writeFileSync(inView(host, '/mnt/older.sh'), older);
	writeFileSync(inView(host, '/usr/local/sbin/.step'), STEP, {mode: 0o755});
	await sh(
		`mkdir ${STEPS}; cd /usr/local/sbin; for name in ${STEPPED.join(' ')}; do ln -s .step $name; done`,
	);

	const save = async (name: string) =>
		sh(
			`for tool in iptables ip6tables; do /usr/sbin/$tool-${backend}-save >/mnt/${name}.$tool; done; cd /etc; tar -cf /mnt/${name}.tar $(ls -d ${FILES} 2>/dev/null)`,
		);
	const empty = '*filter\\n:INPUT ACCEPT [0:0]\\nCOMMIT\\n*raw\\n:OUTPUT ACCEPT [0:0]\\nCOMMIT\\n';
	await sh(
		`for tool in iptables ip6tables; do printf '${empty}' >/mnt/bare.$tool; done; tar -cf /mnt/bare.tar -T /dev/null`,
	);
	await sh(`sh /mnt/older.sh && sh /mnt/older.sh keep`);
	await save('closed');
	await sh(
		'cp /mnt/closed.iptables /mnt/half.iptables; cp /mnt/bare.ip6tables /mnt/half.ip6tables; cp /mnt/closed.tar /mnt/half.tar',
	);

	const reset = async (start: Start) => {
		// Whoever still holds the lock is at the rules.
		await sh(`/usr/bin/rm -f ${STEPS}/*
for pid in $(${WATCHDOGS}); do kill -9 "$pid"; done
timeout 30 flock ${STATE}.lock true
rm -rf ${STATE} ${STATE}.*
for tool in iptables ip6tables; do
	/usr/sbin/$tool-${backend}-restore </mnt/bare.$tool && /usr/sbin/$tool-${backend}-restore </mnt/${start}.$tool
done
cd /etc; rm -rf ${FILES}; tar -xf /mnt/${start}.tar`);
	};
	const see = async (): Promise<Seen> => {
		const [ipv4 = '', ipv6 = '', files = '', waits, watchdogs = ''] = (
			await sh(`[ ! -e ${STATE}.lock ] || timeout 60 flock ${STATE}.lock true || exit
/usr/sbin/iptables-${backend}-save; echo ---
/usr/sbin/ip6tables-${backend}-save; echo ---
cd /etc; find $(ls -d ${FILES} 2>/dev/null) /dev/null ! -type d ! -type c -printf '%p %m %l ' -a ! -type l -exec sha256sum {} ';' -o -type l -printf '%p %l\\n' | sort; echo ---
[ ! -e ${STATE} ] || echo yes; echo ---
${WATCHDOGS}`)
		).split('---\n');
		return {
			ipv4: ownLines(plain(ipv4)).join('\n'),
			ipv6: ownLines(plain(ipv6)).join('\n'),
			files,
			waits: waits === 'yes\n',
			watchdogs: watchdogs.split('\n').filter(Boolean).length,
		};
	};
	const run: Exported['run'] = async (word, injection, seconds = '300') => {
		const step =
			injection && !injection.call
				? `rm -f ${STEPS}/log; echo "${injection.at} ${injection.fault} $$" >${STEPS}/at; `
				: '';
		const result = await host.run('/usr/bin/setsid', [
			'-w',
			'dash',
			'-c',
			`${step}export SECONDS_TO_CONFIRM=${seconds}; exec ${injection ? traced(injection) : ''} dash ${SCRIPT} ${word}`,
		]);
		await sh(`/usr/bin/rm -f ${STEPS}/at`);
		return result;
	};

	const endWatchdogs = async () => {
		await sh(`for pid in $(${WATCHDOGS}); do kill -9 "$pid"; done`);
	};

	await reset('bare');
	await run('load');
	await run('keep');
	return {
		host,
		run,
		reset,
		see,
		endWatchdogs,
		async count(word, call) {
			await run(word, {at: call ? 60_000 : 0, fault: 'fail', call});
			if (call) {
				return Number(await sh('wc -l </mnt/calls'));
			}

			return Number(await sh(`wc -l <${STEPS}/log`));
		},
		wanted: await see(),
	};
}

/** Without -f, strace(1) follows the shell alone. */
function traced({call, fault, at}: Injection): string {
	const effect = fault === 'kill' ? 'signal=KILL' : `error=${call && CALLS[call]}`;
	return call
		? `strace -qq -o /mnt/calls -e trace=${call} -e inject=${call}:${effect}:when=${at}`
		: '';
}

/** Whether strangers are kept out of a family: our chain ends with a verdict, and is jumped to. */
export function isClosed(rules: string): boolean {
	const lines = rules.split('\n');
	return (
		lines.includes('-A INPUT -j FW-WIZARD-INPUT') &&
		/ -j (REJECT|DROP)\b/.test(
			lines.filter((line) => line.startsWith('-A FW-WIZARD-INPUT ')).at(-1) ?? '',
		)
	);
}

/** The script as if it had been exported so: with the checksums of what was altered in it. */
export function resumExported(script: string): string {
	const body = script
		.slice(0, script.lastIndexOf('{ sum='))
		.replaceAll(
			/^(put "\$1" \S+ \d+) '[^']*' (<<'FW-WIZARD-END' \|\| return\n)([\s\S]*?)^FW-WIZARD-END$/gm,
			(_, put: string, mark: string, text: string) =>
				`${put} '${cksum(text)}' ${mark}${text}FW-WIZARD-END`,
		);
	return `${body}{ sum='${cksum(body)}'; main "$@"; exit; }\n`;
}
