import process from 'node:process';
import {
	type BlockedLog,
	followBlocked,
	type LoggedLine,
	type LoggedPort,
	type LoggedSource,
	readBlocked,
} from '../app/inspect/log.ts';
import {POLICY_FILE} from '../change/paths.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError, InputError} from '../lib/errors.ts';
import {countOf, formatNumber} from '../lib/format-number.ts';
import {printJson} from '../lib/json.ts';
import {joinWords} from '../lib/list.ts';
import {printable} from '../lib/printable.ts';
import type {Part} from '../ruleset/model.ts';
import {requireRoot} from './require-root.ts';

type LogFlags = {
	readonly since?: string;
	readonly follow?: boolean;
	readonly json?: boolean;
};

/**
 * `fw-wizard log`: what was blocked. With --follow it prints a line for each logged packet, and does not end.
 * @returns what to print @throws {InputError} @throws {HostError}
 */
export async function log({
	since = '24h',
	follow = false,
	json = false,
}: LogFlags): Promise<string> {
	const start = new Date(Date.now() - parseTime(since) * 1000);
	requireRoot('log');
	if (follow) {
		// Nobody reads any more.
		process.stdout.once('error', () => process.exit(0));
		await followBlocked((line) => {
			process.stdout.write(`${json ? JSON.stringify(line) : describeLine(line)}\n`);
		});
		throw new HostError(
			'The log of the kernel cannot be read here',
			`Without it: ${commandLine('log')}`,
		);
	}

	const found = await readBlocked(start);
	return json ? printJson(found) : printLog(found, since);
}

const UNITS: Readonly<Record<string, number>> = {s: 1, m: 60, h: 3600, d: 86_400};

/** The seconds of `90s`, `30min`, `1h`, `2d`. @throws {InputError} */
function parseTime(text: string): number {
	const [, count, unit = ''] = /^(\d{1,6}) ?(s|sec|m|min|h|d)$/.exec(text) ?? [];
	if (count === undefined) {
		throw new InputError(
			`"${printable(text)}" is not a time`,
			`Write 30min, 1h or 2d: ${commandLine('log --since 1h')}`,
		);
	}

	return Number(count) * (UNITS[unit.charAt(0)] ?? 1);
}

const PARTS: Readonly<Partial<Record<Part, string>>> = {
	verdict: 'to ports that are not open',
	blocked: 'from blocked addresses',
	invalid: 'that fit no connection',
	inside: 'to published ports that are not open',
};

/** Rows of a list. */
const MOST_ROWS = 10;

function printLog(found: BlockedLog, since: string): string {
	const {ports, sources, lines, logging} = found;
	return `${[
		...countLines(found),
		...(logging === false
			? [
					'Blocked packets are not logged. To log them, at most 10 a minute:',
					`  ${commandLine(`apply --policy ${POLICY_FILE} --log`)}`,
				]
			: []),
		lines === null
			? 'The log of the kernel cannot be read here.'
			: `Logged in the last ${since}: ${countOf(lines, 'packet')}${logging ? ' (at most 10 a minute of each family, so not every packet)' : ''}.`,
		...(logging && lines === 0 && found.counted.packets > 0
			? ['In a container the kernel logs nothing: its host would have to.']
			: []),
		...(found.unreadable > 0
			? [`Left out: ${found.unreadable} lines that are no lines of the kernel's LOG target.`]
			: []),
		...rows('By port:', ports, describePort),
		...rows('By source:', sources, describeSource),
	].join('\n')}\n`;
}

function countLines({counted, logging}: BlockedLog): readonly string[] {
	if (counted.rules.length === 0) {
		return [
			logging === null
				? `No policy is applied. To choose one: ${commandLine()}`
				: `The rules of the policy are not loaded. To load them: ${commandLine('check --fix')}`,
		];
	}

	const parts = new Map<string, number>();
	for (const {part, packets} of counted.rules) {
		const name = (part && PARTS[part]) ?? 'by other rules of fw-wizard';
		parts.set(name, (parts.get(name) ?? 0) + packets);
	}

	return [
		`Blocked since the rules were loaded, by exact counters: ${countOf(counted.packets, 'packet')}.`,
		...[...parts]
			.filter(([, packets]) => packets > 0)
			.map(([name, packets]) => `  ${formatNumber(packets)} ${name}`),
	];
}

function rows<T>(
	title: string,
	all: readonly T[],
	describe: (one: T) => string,
): readonly string[] {
	const more = all.length - MOST_ROWS;
	return all.length === 0
		? []
		: [
				title,
				...all.slice(0, MOST_ROWS).map((one) => `  ${describe(one)}`),
				...(more > 0 ? [`  and ${more} more`] : []),
			];
}

function describePort({protocol, port, forwarded, lines, sources, programs}: LoggedPort): string {
	const name = port === undefined ? protocol : `${port}/${protocol}`;
	const who = `${formatNumber(lines)} from ${countOf(sources, 'address', 'addresses')}`;
	const listens = `${joinWords(programs)} ${programs.length === 1 ? 'listens' : 'listen'}`;
	const where = forwarded
		? 'to a container or guest'
		: programs.length === 0
			? 'nothing listens'
			: `${listens}. To open it: ${commandLine(`open ${name}`)}`;
	return `${name.padEnd(12)} ${who}, ${where}`;
}

function describeSource({address, lines, ports, scan}: LoggedSource): string {
	return `${address.padEnd(16)} ${formatNumber(lines)} to ${countOf(ports, 'port')}${scan ? ': a port scan' : ''}`;
}

function describeLine({time, protocol, port, source, inInterface, programs}: LoggedLine): string {
	const name = port === undefined ? protocol : `${port}/${protocol}`;
	return `${time.slice(0, 19).replace('T', ' ')} UTC  ${name} from ${source} on ${printable(inInterface)}${programs.length === 0 ? '' : `, ${joinWords(programs)} listens`}`;
}
