import type {Step} from '../state/state.ts';
import {screenReader} from '../theme.ts';
import {type Line, wrapLines} from './wrap.ts';

type Word = readonly [word: string, meaning: string];

const CONFIRM: Word = [
	'Confirm',
	'a new login shows that you can still log in, and the new rules stay.',
];
const ROLL_BACK: Word = ['Roll back', 'the old rules are restored, as they were before.'];
const REJECT: Word = ['Reject', 'the client gets "connection refused" at once.'];
const DROP: Word = ['Drop', 'no answer. The client waits until it gives up.'];
const PUBLISHED: Word = [
	'Published port',
	'a port of a container that other machines can reach. Docker and podman forward it.',
];

/** The words of each step, in plain sentences. */
const WORDS: Readonly<Partial<Record<Step, readonly Word[]>>> = {
	welcome: [
		['Open', 'other machines can connect to the port. All other ports are blocked.'],
		['Role', 'decides which ports start open.'],
		REJECT,
		PUBLISHED,
		['Apply', 'load the rules. Nothing changes before that.'],
		ROLL_BACK,
	],
	neighbours: [
		['Existing rules', 'firewall rules that other programs or people have made here.'],
		['Keep', 'they stay, and are evaluated together with the new rules.'],
		['Remove', 'they are deleted when the new rules are loaded. Undo restores them.'],
		['Import', 'the ports that they open are opened by the new rules as well.'],
	],
	role: [
		['Workstation', 'a machine that uses services of others. No port starts open.'],
		['Server', 'a machine whose services others use. SSH starts open.'],
		['Open', 'other machines can connect to the port.'],
	],
	rejection: [
		REJECT,
		['Reset', 'the client gets the answer of a closed port. A scan sees no firewall.'],
		DROP,
		['Log', 'the kernel writes blocked packets to its log, a few each minute.'],
	],
	helpers: [
		[
			'Helper',
			'some old protocols open a second connection. A helper reads the first one to find and allow it.',
		],
		['FTP', 'its second connection carries the files. With TLS no helper can follow it.'],
		['None', 'is right for most machines: web, mail, SSH and DNS need no helper.'],
	],
	ports: [
		['Listens', 'a program waits for connections to the port.'],
		['Loopback', 'only programs on this machine can connect, whatever the rules say.'],
		['limit', 'each client may begin only 6 new connections a minute.'],
		['from', 'only these addresses can connect: from 10.0.0.0/8.'],
		['on', 'only through this network interface: on wg0.'],
		PUBLISHED,
	],
	review: [
		['Rule', 'the kernel compares each packet with the rules, from the first to the last.'],
		['ACCEPT', 'the packet passes. REJECT and DROP block it.'],
		['ESTABLISHED', 'answers to connections that are allowed already.'],
		['Restore file', 'the same rules as iptables-restore loads them.'],
		['Summary', 'what other machines can reach, now and after the change.'],
	],
	proof: [
		['Proof', 'a packet to every TCP and UDP port. The kernel counts which ones pass.'],
		['Isolated copy', 'a sandbox of this machine. The real network sees none of these packets.'],
		['v4, v6', 'over IPv4 and over IPv6.'],
		['You', 'packets from your own address.'],
	],
	apply: [
		['Apply', 'load the rules into the kernel.'],
		CONFIRM,
		ROLL_BACK,
		['Locked out', 'you could not log in again over the network.'],
	],
	result: [
		['Checklist', 'what must be well so that the rules are there after the next boot.'],
		['Scan', 'nmap tries all ports from another machine, and shows which are open.'],
		['Console', 'access without the network: a screen, or the page of your provider.'],
		['Undo', 'restores the rules from before the change, also after a boot.'],
	],
};

/** The words of a step with what they mean, wrapped to `width`. */
export function glossaryLines(step: Step, width: number): readonly Line[] {
	const words = WORDS[step] ?? [];
	const column = Math.max(...words.map(([word]) => word.length)) + 2;
	return words.flatMap(([word, meaning]) =>
		screenReader || column > width / 3
			? wrapLines(`${word}: ${meaning}`, width, 'plain')
			: wrapLines(meaning, width, 'plain', word.padEnd(column)),
	);
}
