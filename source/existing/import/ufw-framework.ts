import {joinWords} from '../../lib/list.ts';
import type {Family} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {linesOf, readLine, regionsOf} from './iptables-line.ts';
import type {Untranslatable} from './result.ts';
import type {ForeignRule} from './to-openings.ts';

/** A file of ufw with lines for iptables-restore, and the same file as ufw ships it. */
export type UfwFramework = {
	/** before.rules, after6.rules … */
	readonly name: string;
	readonly family: Family;
	readonly text: string;
	/** Absent where this machine does not have it. */
	readonly shipped?: string;
};

/** What this machine forwards, which ufw filters as well. */
export type Forwarding = {
	/** Whether it forwards packets at all. */
	readonly forwards: boolean;
	/** Whether FORWARD goes on dropping what nobody accepts, since Docker or the like needs that. */
	readonly keepsForward?: boolean;
	/** The ports that are forwarded to containers: `8080/tcp`. */
	readonly published?: readonly string[];
};

/** What a line does to new connections, and what of it openings cannot express. */
export type TranslatedLine = {readonly rule?: ForeignRule; readonly loss?: Untranslatable};

/** A rule that is not understood may block anything. */
export function unknownRule(text: string, family: Family): ForeignRule {
	return {text, action: 'deny', ...regionsOf({family, inexact: 'it is not understood'})};
}

/** Translates a line about packets to this machine that somebody added by hand. */
export function translateLine(line: string, family: Family): TranslatedLine {
	const text = printable(line, 160);
	const read = readLine(line, family);
	if (read === undefined) {
		return {};
	}

	if (typeof read === 'string') {
		const opens = DENIES.test(targetIn(line));
		return {loss: {text, why: read, effect: opens ? 'opens' : 'closes'}};
	}

	const why = `${read.inexact}; what it may block stays blocked`;
	return read.action === 'deny' && read.inexact !== undefined && !read.listed
		? {rule: read, loss: {text, why, effect: 'closes'}}
		: {rule: read};
}

/** The lines that somebody added by hand to a file of ufw. */
export function readFramework(
	file: UfwFramework,
	forwarding: Forwarding,
): {
	readonly rules: readonly ForeignRule[];
	readonly losses: readonly Untranslatable[];
} {
	if (file.shipped === undefined) {
		const why = 'it cannot be compared with what ufw ships: your own rules in it are not known';
		return {
			rules: [],
			losses: file.text === '' ? [] : [{text: file.name, why, effect: 'closes', elsewhere: true}],
		};
	}

	const shipped = new Set(linesOf(file.shipped));
	const lines = linesOf(file.text);
	const added = lines.filter((line) => !shipped.has(line));
	const translated = added.map((line): TranslatedLine & {readonly first: boolean} => {
		const text = `${file.name}: ${printable(line, 160)}`;
		const {rule, loss} = INPUT.test(chainIn(line))
			? translateLine(line, file.family)
			: {rule: undefined, loss: lossElsewhere(line, lines, forwarding)};
		return {
			first: line.startsWith('-I'),
			...(rule === undefined ? {} : {rule: {...rule, text}}),
			...(loss === undefined ? {} : {loss: {...loss, text}}),
		};
	});
	const rules = [
		...translated.filter(({first}) => first),
		...translated.filter(({first}) => !first),
	];
	return {
		rules: rules.flatMap(({rule}) => rule ?? []),
		losses: translated.flatMap(({loss}) => loss ?? []),
	};
}

const INPUT = /^(?:ufw6?-(?:before|after)-input|INPUT)$/;
const FORWARD = /^(?:ufw6?-(?:before|after|user)-forward|FORWARD|DOCKER-USER)$/;
const OUTPUT = /^(?:ufw6?-(?:before|after)-output|OUTPUT)$/;
const DENIES = /^(?:DROP|REJECT)$/;
const TRANSLATES = /^(?:MASQUERADE|SNAT|DNAT|REDIRECT|NETMAP)$/;

/** What is lost with a line that is not about packets to this machine. */
function lossElsewhere(
	line: string,
	all: readonly string[],
	{forwards, keepsForward = false, published = []}: Forwarding,
): Omit<Untranslatable, 'text'> {
	const chain = chainIn(line);
	const target = targetIn(line);
	if (TRANSLATES.test(target)) {
		const why = 'ufw loads it at boot, and without ufw nothing does';
		return {why, effect: 'closes', elsewhere: true};
	}

	const denies = leadsToDenial(target, all);
	if (denies && FORWARD.test(chain) && (forwards || chain === 'DOCKER-USER')) {
		const ports = published.length === 0 ? '' : `, as ${joinWords(published)}`;
		const why = `forwarded connections that it blocks are no longer blocked${chain === 'DOCKER-USER' ? `: published ports of containers can be reached from everywhere${ports}` : ''}`;
		return {why, effect: 'opens', elsewhere: true};
	}

	if (denies && OUTPUT.test(chain)) {
		return {why: 'what leaves this machine is not filtered', effect: 'opens', elsewhere: true};
	}

	const why = 'only what comes in to this machine is filtered';
	return target === 'ACCEPT' && FORWARD.test(chain) && forwards && keepsForward
		? {why: `${why}, and FORWARD drops the rest`, effect: 'closes', elsewhere: true}
		: {why, elsewhere: true};
}

function chainIn(line: string): string {
	return /^-[AI] (\S+)/.exec(line)?.[1] ?? '';
}

/** The target of a line, wherever in it: people write it before the conditions as well. */
function targetIn(line: string): string {
	return / -[jg] (\S+)/.exec(line)?.[1] ?? '';
}

/** Whether a target blocks packets, be it by the rules of a chain in the same file. */
function leadsToDenial(
	target: string,
	all: readonly string[],
	seen: readonly string[] = [],
): boolean {
	return (
		DENIES.test(target) ||
		(!seen.includes(target) &&
			all.some(
				(line) => chainIn(line) === target && leadsToDenial(targetIn(line), all, [...seen, target]),
			))
	);
}
