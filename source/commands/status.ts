import {
	describeBoot,
	describeLastCheck,
	describeWatch,
	printTime,
} from '../app/inspect/describe-status.ts';
import type {OpenRow} from '../app/inspect/open-ports.ts';
import {readStatus, type Status} from '../app/inspect/status.ts';
import {commandLine} from '../lib/command-line.ts';
import {printJson} from '../lib/json.ts';
import {joinWords, withRest} from '../lib/list.ts';
import {printPorts} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import {describeEnd} from '../policy/ending.ts';
import {type Opening, printOpening, shortOpening} from '../policy/opening.ts';
import type {Verdict} from '../policy/policy.ts';
import {policyToJson} from '../policy/print-policy.ts';
import type {Output} from './run-action.ts';

type StatusFlags = {readonly json?: boolean};

/**
 * `fw-wizard status`: what is known of the firewall at once.
 * @returns what to print, and 0 where it is active as the policy says, 1 where it is not, 3 where that cannot be known
 */
export async function status({json = false}: StatusFlags): Promise<Output> {
	const found = await readStatus();
	const {active, matches} = found;
	return {
		code: active === null ? 3 : active && matches !== false && found.policy !== null ? 0 : 1,
		text: json ? printJson(statusToJson(found)) : printStatus(found),
	};
}

/** The JSON fields that scripts know. */
export function statusToJson({policy, ports, ...rest}: Status) {
	return {
		...rest,
		policy: policy && policyToJson(policy),
		open: ports.open.map(({opening, programs}) => ({opening: printOpening(opening), programs})),
		blocked: ports.blocked,
	};
}

function printStatus(status: Status): string {
	const {policy, ports, unread} = status;
	return `${[
		...headLines(status),
		...(policy === null ? [] : ['', ...openLines(ports.open)]),
		...publishedLines(status),
		...blockedLines(status),
		'',
		...stateLines(status),
		...unread,
	].join('\n')}\n`;
}

function headLines(status: Status): readonly string[] {
	const {active, matches, differences, policy, applied, pending} = status;
	const [difference, ...more] = differences;
	const state =
		active === null
			? 'unknown'
			: active
				? matches === false
					? 'active, but the loaded rules do not match the policy'
					: 'active'
				: policy === null
					? 'inactive'
					: 'inactive, although a policy is applied';
	return [
		`Status: ${state}`,
		...(difference === undefined
			? []
			: [
					`  ${difference}${more.length === 0 ? '' : `; ${more.length} more`}`,
					`  Load the rules of the policy again: ${commandLine('check --fix')}`,
				]),
		...(pending === null
			? []
			: [
					`Change ${pending.id} waits to be confirmed: ${pending.secondsLeft} s left. Log in again, then: ${commandLine('confirm')}`,
				]),
		...(policy === null
			? active === null
				? []
				: [`No policy is applied. To choose one: ${commandLine()}`]
			: [
					...(applied === null || pending !== null
						? []
						: [`Applied: change ${applied.id}, ${printTime(applied.time)}, by ${applied.who}`]),
					`Other ports: ${VERDICTS[policy.verdict]}, ${policy.log ? 'logged' : 'not logged'}`,
				]),
	];
}

const VERDICTS: Readonly<Record<Verdict, string>> = {
	reject: 'blocked (reject)',
	reset: 'blocked (reset)',
	drop: 'blocked (drop)',
};

function openLines(rows: readonly OpenRow[]): readonly string[] {
	return rows.length === 0
		? ['No port is open.']
		: [
				'Open:',
				...columns(
					rows.map(({opening, programs}) => [
						shortOpening(withoutEnd(opening)),
						programs.length > 0
							? joinWords(programs)
							: opening.kind === 'port'
								? 'nothing listens'
								: '',
						[
							...(opening.until === undefined ? [] : [`until ${describeEnd(opening.until)}`]),
							...(opening.comment === undefined ? [] : [printable(opening.comment, 60)]),
						].join(', '),
					]),
				),
			];
}

function withoutEnd({until: _, ...opening}: Opening): Opening {
	return opening;
}

function publishedLines({published, policy}: Status): readonly string[] {
	const whose =
		policy?.published === 'policy' ? 'the policy decides' : 'the policy does not decide';
	return published.length === 0
		? []
		: [
				'',
				`Published ports (${whose}):`,
				...columns(
					published.map(({protocol, address, port, last, to, by, families, open}) => [
						`${isAny(address) ? '' : `${address} `}${printPorts({first: port, last}, '-')}/${protocol}${families.length === 1 ? `, IPv${families[0]}` : ''}`,
						`to ${to}, by ${by}`,
						open === null ? '' : open ? 'open' : 'blocked',
					]),
				),
			];
}

function isAny(address: string): boolean {
	return address === '0.0.0.0' || address === '::';
}

/** The ports with a program that the policy does not open; without a policy, all. */
function blockedLines({ports, policy, active}: Status): readonly string[] {
	const head =
		policy === null || active !== true
			? 'Programs listen on:'
			: 'Not open, although a program listens:';
	return ports.blocked.length === 0
		? []
		: [
				'',
				head,
				...columns(
					ports.blocked.map(({protocol, port, program = ''}) => [`${port}/${protocol}`, program]),
				),
			];
}

function stateLines({
	earlier,
	beside,
	lastCheck,
	watch,
	boot,
	policy,
	active,
}: Status): readonly string[] {
	const first = earlier.map(
		({by = 'an unknown program', count, family}) =>
			`${count} ${count === 1 ? 'rule' : 'rules'} of ${by} (IPv${family})`,
	);
	return [
		...withRest(beside, MOST_BESIDE).map(
			(line) => `Beside the policy, when it was applied: ${line}`,
		),
		...(first.length === 0 || active !== true
			? []
			: [`Evaluated before these rules: ${joinWords(first)}`]),
		...(policy === null && active !== null ? [] : [describeBoot(boot)]),
		...(policy === null
			? []
			: [
					describeWatch(watch),
					...watch.open.map((line) => `  ${line}`),
					describeLastCheck(lastCheck),
					'Read from the rules, not tried with packets. Rules in nftables tables were not read.',
				]),
	];
}

/** Rows of a list with aligned columns, indented. */
function columns(rows: ReadonlyArray<readonly string[]>): readonly string[] {
	const widths = (rows[0] ?? []).map((_, column) =>
		Math.min(WIDEST, Math.max(...rows.map((cells) => (cells[column] ?? '').length))),
	);
	return rows.map((cells) =>
		`  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
	);
}

/** Of what is beside the policy so many lines stand there. */
const MOST_BESIDE = 5;

/** A wider cell moves only the rest of its own line. */
const WIDEST = 34;
