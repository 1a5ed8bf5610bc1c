import {printTime} from '../../app/inspect/describe-status.ts';
import type {Report} from '../../app/inspect/report.ts';
import type {LastProof} from '../../app/last-proof.ts';
import {commandLine} from '../../lib/command-line.ts';
import {formatNumber} from '../../lib/format-number.ts';
import {
	describeChecks,
	describeFaults,
	describePublished,
	describeSampled,
	describeUntried,
} from '../../proof/describe-proof.ts';
import {type Cell as MatrixCell, proofMatrix} from '../../proof/matrix.ts';
import {isExact} from '../../proof/report.ts';
import {type Block, type Cell, cell, text} from './blocks.ts';

/** Which rules the proof is of, and what it found. */
export function verdictOf({proof, proven, of}: LastProof): string {
	const rules = {
		planned: 'the rules of the policy',
		running: 'the loaded rules',
		boot: 'the rules of the next boot',
	};
	return `${rules[of]}: ${isExact(proof) ? 'exactly what the policy says' : proven ? 'what the policy says, without what was left out' : 'not what the policy says'}`;
}

/** What passes from where, by the last proof. */
export function proofBlocks({proof: last, listeners}: Report): readonly Block[] {
	if (last === undefined) {
		return [
			text(
				`No proof of this policy is recorded. To prove it: ${commandLine('report --prove')}`,
				'warn',
			),
		];
	}

	const {proof, proven} = last;
	const named = listeners
		.filter(({reach}) => reach === 'outside')
		.map(({protocol, port, process: name = ''}) => ({protocol, first: port, last: port, name}));
	const {columns, rows} = proofMatrix(proof, named, Number.POSITIVE_INFINITY);
	const sampled = describeSampled(proof);
	const head = columns.flatMap(({name, families}) => families.map((one) => `${name}, IPv${one}`));
	const all = head.map((name, at) => ({
		name,
		cells: rows.map(({cells}) => matrixCell(cells.flat()[at])),
	}));
	// Several addresses of a network, of which packets were sent to the same effect, are one column.
	const shown = [...new Map(all.map((column) => [JSON.stringify(column), column])).values()];
	const matrix = rows.map(({port, who}, at) => [
		...[cell(port, 'code'), cell(who)],
		...shown.flatMap(({cells}) => cells[at] ?? []),
	]);
	return [
		text(
			`${printTime(last.time)}, ${verdictOf(last)}. ${formatNumber(proof.probes)} packets in ${proof.seconds.toFixed(1)} s; ${describeChecks(proof)}`,
			proven ? 'good' : 'bad',
		),
		{kind: 'table', head: ['Ports', 'Program', ...shown.map(({name}) => name)], rows: matrix},
		...describeFaults(proof).map((one) => text(one, 'bad')),
		...describePublished(proof).map((one) => text(one)),
		...(sampled === undefined ? [] : [text(sampled)]),
		...describeUntried(proof).map((one) => text(one)),
		...proof.leftOut.map((what) => text(`Left out: ${what}`)),
	];
}

function matrixCell({open, wrong}: MatrixCell = {open: false, wrong: false}): Cell {
	const state = open ? 'open' : 'blocked';
	return wrong ? cell(`${state}, not as chosen`, 'bad') : cell(state, open ? 'open' : 'muted');
}
