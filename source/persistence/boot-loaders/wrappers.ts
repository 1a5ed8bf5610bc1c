import path from 'node:path';
import {UNKNOWN} from '../../lib/shell-words.ts';
import {isRuleProgram} from './rule-command.ts';

/** A command without the words before it that only say how it is run. */
type Wrapped = {
	readonly words: readonly string[];
	/** Lines of a shell, where `sh -c` has them as an argument. */
	readonly script?: string;
	/** It may run often, in parallel, or not at all: `xargs`, `find -exec`. */
	readonly odd: boolean;
};

/** They run the command that follows, here and once. */
const PLAIN = new Set(
	'sudo doas env exec nice ionice nohup setsid command builtin time timeout chrt taskset stdbuf'.split(
		' ',
	),
);
const ODD = new Set(
	'xargs find flock start-stop-daemon systemd-run parallel watch at batch'.split(' '),
);
/** They run it in another network, on another machine, or do not run it. */
const ELSEWHERE = new Set(
	'nsenter unshare chroot ssh docker podman lxc-attach lxc incus machinectl systemd-nspawn which type hash'.split(
		' ',
	),
);
const SHELLS = new Set('sh bash dash ash ksh zsh busybox su'.split(' '));

/** @returns undefined where nothing is run in this network */
export function commandBehind(words: readonly string[]): Wrapped | undefined {
	let [rest, odd] = [words, false];
	for (;;) {
		const [program = '', ...args] = rest;
		const name = path.basename(program);
		if (ELSEWHERE.has(name) || (name === 'ip' && args.includes('netns'))) {
			return undefined;
		}

		if (name === 'command' && /^-[vV]/.test(args[0] ?? '')) {
			return undefined;
		}

		if (SHELLS.has(name)) {
			return behindShell(name, args, odd);
		}

		if (!PLAIN.has(name) && !ODD.has(name)) {
			return {words: rest, odd};
		}

		odd ||= ODD.has(name);
		const sure = args.findIndex((arg) => isKnown(path.basename(arg)));
		const at = sure === -1 ? args.findIndex(mayBeCommand) : sure;
		if (at === -1) {
			return undefined;
		}

		rest = args.slice(at);
	}
}

function behindShell(name: string, args: readonly string[], odd: boolean): Wrapped | undefined {
	const at = args.findIndex((arg) => /^-\w*c$/.test(arg));
	const script = args[at + 1];
	if (at !== -1 && script !== undefined) {
		return {words: [name], script, odd: odd || args.length > at + 2};
	}

	const file = args.findIndex((arg) => !/^[-+]/.test(arg));
	return file === -1 ? undefined : {words: ['.', ...args.slice(file)], odd};
}

function isKnown(name: string): boolean {
	return isRuleProgram(name) || [PLAIN, ODD, ELSEWHERE, SHELLS].some((names) => names.has(name));
}

/** Whether a word can be a program, and no option or argument of the one before it. */
function mayBeCommand(word: string): boolean {
	return (
		(word.startsWith('/') &&
			!word.includes(UNKNOWN) &&
			!/^\/(?:run|var|tmp|dev|proc|sys)\//.test(word)) ||
		/^[a-z_][\w.+-]*$/i.test(word)
	);
}
