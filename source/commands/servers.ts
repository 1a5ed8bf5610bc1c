import * as z from 'zod/mini';
import {countOf, formatNumber} from '../lib/format-number.ts';
import {parseJson, printJson} from '../lib/json.ts';
import {joinWords, withRest} from '../lib/list.ts';
import {printable} from '../lib/printable.ts';
import type {RemoteCommand} from '../remote/program.ts';
import {runOnServers, type ServerAnswer} from '../remote/run-on-servers.ts';
import {SCHEMAS} from './schema/outputs.ts';

/** The commands that several servers can be asked at a time. */
export const FOR_SEVERAL = ['status', 'check', 'prove'] as const;
type Name = (typeof FOR_SEVERAL)[number];

/** One server: whether all is well there, and what the command has printed with --json. */
type Row = {
	readonly host: string;
	readonly result: 'well' | 'differs' | 'failed' | 'unreachable';
	/** The exit code of the command there, where it ended. */
	readonly code: number | null;
	readonly output: unknown;
	readonly error: {readonly message: string; readonly advice: string} | null;
};

/**
 * `--host` several times: one row a server. One that cannot be asked is not well.
 * @returns what to print, and whether all is well on every server
 */
export async function onServers(
	name: Name,
	servers: readonly string[],
	command: RemoteCommand,
	json: boolean,
): Promise<{text: string; well: boolean}> {
	const args = json ? command.args : [...command.args, '--json'];
	const answers = await runOnServers(servers, {...command, args});
	const rows = answers.map((answer) => readAnswer(name, answer));
	const well = rows.every(({result}) => result === 'well');
	return {
		well,
		text: json ? printSafely({command: name, well, hosts: rows}) : printRows(name, rows),
	};
}

/** What a server says is believed no further than its form. */
function readAnswer(name: Name, answer: ServerAnswer): Row {
	const row = {host: answer.server, code: null, output: null, error: null};
	if (answer.kind !== 'ended') {
		const {message, advice} = answer;
		return {...row, result: answer.kind, error: {message, advice}};
	}

	const {code, stdout, stderr} = answer;
	const found = parseJson(stdout);
	if (isA('error', found) || !isA(name, found)) {
		const {message, advice} = Object(Object(found).error);
		const said = printable(stderr.trim().split('\n').at(-1) ?? '', 200);
		const error = {
			message:
				typeof message === 'string'
					? printable(message, 400)
					: `No answer of fw-wizard ${name}: ${said}`,
			advice: typeof advice === 'string' ? printable(advice, 800) : 'Try that server alone',
		};
		return {...row, code, result: 'failed', error};
	}

	return {
		...row,
		code,
		output: found,
		result: code === 0 ? 'well' : code === 1 ? 'differs' : 'failed',
	};
}

function isA(name: Name | 'error', value: unknown): boolean {
	return z.safeParse(SCHEMAS[name](), value).success;
}

function printRows(name: Name, rows: readonly Row[]): string {
	const widest = Math.min(40, Math.max(...rows.map(({host}) => host.length)));
	return rows
		.map(({host, result, output, error}) => {
			const said = error?.message ?? SUMMARIES[name](output as never);
			return `${host.padEnd(widest)}  ${result.padEnd(11)}  ${printable(said, 300)}\n`;
		})
		.join('');
}

const SUMMARIES: Readonly<Record<Name, (output: never) => string>> = {
	status: ({active, matches, policy, open}: StatusOutput) =>
		active === null
			? 'unknown'
			: !active
				? `inactive${policy === null ? '' : ', although a policy is applied'}`
				: matches === false
					? 'active, but the loaded rules do not match the policy'
					: `active, ${countOf(open.length, 'opening')}`,
	check({items}: CheckOutput) {
		const failed = items.filter(({state}) => state === 'failed').map(({title}) => title);
		return failed.length === 0
			? countOf(items.length, 'check')
			: `failed: ${joinWords(withRest(failed, 3))}`;
	},
	prove: ({probes, views, checks, proven, differences}: ProofOutput) =>
		proven
			? probes === undefined
				? 'the scan matches the policy'
				: `proven with ${formatNumber(probes)} packets`
			: countOf(
					differences?.length ??
						(views ?? []).flatMap((view) => view.differences).length +
							(checks ?? []).filter(({result}) => result === 'failed').length,
					'difference',
				),
};

type StatusOutput = {
	readonly active: boolean | null;
	readonly matches: boolean | null;
	readonly policy: unknown;
	readonly open: readonly unknown[];
};
type CheckOutput = {
	readonly items: ReadonlyArray<{readonly state: string; readonly title: string}>;
};
type ProofOutput = {
	readonly proven: boolean;
	readonly probes?: number;
	readonly differences?: readonly unknown[];
	readonly views?: ReadonlyArray<{readonly differences: readonly unknown[]}>;
	readonly checks?: ReadonlyArray<{readonly result: string}>;
};

/** JSON leaves control characters beyond ASCII as they are (RFC 8259), and a terminal may obey them. */
function printSafely(value: unknown): string {
	return printJson(value).replaceAll(/[\u007F-\u009F\p{Cf}\u2028\u2029]/gu, escapeUnits);
}

function escapeUnits(character: string): string {
	return character
		.split('')
		.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
		.join('');
}
