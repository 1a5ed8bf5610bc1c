import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import wrapAnsi from 'wrap-ansi';
import {formatNumber} from '../../lib/format-number.ts';
import {countPorts} from '../../lib/port-ranges.ts';
import {VERDICTS} from '../../policy/policy.ts';
import type {Demonstration} from '../../proof/demonstrate-verdicts.ts';
import {describeDifferences, describePublished, describeView} from '../../proof/describe-proof.ts';
import {type NamedPorts, proofMatrix} from '../../proof/matrix.ts';
import {isExact, isProven, onlyLocksOut, type Proof} from '../../proof/report.ts';
import type {Observation, Progress} from '../../proof/sweep.ts';
import {Matrix, matrixLines} from '../components/matrix.tsx';
import {Paragraph, WidthContext} from '../components/paragraph.tsx';
import type {Comparison, ProofState} from '../hooks/use-proof.ts';
import {rowsOf} from '../state/ports.ts';
import {servedPorts} from '../text/served.ts';
import {truncate} from '../text/truncate.ts';
import {glyphs, screenReader, styleOf} from '../theme.ts';
import type {StepProps} from './step-props.ts';

export function ProofStep({flow, proof, comparison, height}: StepProps): ReactElement {
	switch (proof.status) {
		case 'none':
			return <Text> </Text>;
		case 'running':
			return <Running {...proof} asked={flow.view === 'unfinished'} />;
		case 'impossible':
			return (
				<Box flexDirection="column">
					<Text {...styleOf('danger')}>{proof.message}</Text>
					<Paragraph lines={[`${proof.hint}.`, 'You can continue without the proof.']} />
				</Box>
			);
		case 'done':
			return (
				<Done
					proof={proof.proof}
					comparison={comparison}
					named={flow.known.listeners.value && servedPorts(rowsOf(flow))}
					height={height}
				/>
			);
	}
}

type RunningProps = Extract<ProofState, {status: 'running'}> & {
	/** Enter was pressed. */
	readonly asked: boolean;
};

function Running({progress, seconds, asked}: RunningProps): ReactElement {
	const width = useContext(WidthContext);
	const cells = Math.max(10, Math.min(60, width - 6));
	const done = Math.floor((cells * progress.sent) / progress.total);
	const sweeping = progress.sent < progress.total;
	const left = secondsLeft(progress, seconds);
	const warning = asked
		? `The proof still runs${left === undefined ? '' : `, about ${left} s more`}. Press Enter again to continue without it.`
		: undefined;
	if (screenReader) {
		// A screen reader reads every change of the text, so it changes only at each tenth.
		return (
			<Text>
				Packets are sent: {10 * Math.floor((10 * progress.sent) / progress.total)} %.{' '}
				{asked ? 'The proof still runs. Press Enter again to continue without it.' : ''}
			</Text>
		);
	}

	return (
		<Box flexDirection="column">
			<Text>
				<Text {...styleOf('good')}>{glyphs.cell.repeat(done)}</Text>
				<Text {...styleOf('muted')}>{glyphs.emptyCell.repeat(cells - done)}</Text>{' '}
				{Math.floor((100 * progress.sent) / progress.total)} %
			</Text>
			<Paragraph
				lines={[
					sweeping
						? `A packet to every port of a copy of this machine: ${formatNumber(progress.sent)} of ${formatNumber(progress.total)} sent${left === undefined ? '' : `, about ${left} s left`}. Nothing here is touched.`
						: 'All packets are sent. Now protocol checks: answers, ping, DHCP, path MTU, stray packets.',
				]}
			/>
			{warning !== undefined && <Paragraph lines={[warning]} tone="attention" />}
		</Box>
	);
}

/** How long the packets will take at the rate so far; undefined while that cannot be told. */
function secondsLeft({sent, total}: Progress, seconds: number): number | undefined {
	return seconds < 1 || sent === 0 || sent >= total
		? undefined
		: Math.max(1, Math.round((seconds * (total - sent)) / sent));
}

/** The least columns for a matrix: a narrower screen, and a screen reader, have a sentence for each vantage point. */
const LEAST_WIDTH = 50;
const MOST_FAULTS = 4;
const LONGEST_NAME = 14;

type DoneProps = {
	readonly proof: Proof;
	readonly comparison: Comparison;
	readonly named: readonly NamedPorts[] | undefined;
	readonly height: number;
};

/**
 * The result of a proof: the verdict first, then differences, then what passes from where. What is without rules, and
 * what a client hears, stand below where there is room.
 */
function Done({proof, comparison, named, height}: DoneProps): ReactElement {
	const width = useContext(WidthContext);
	const proven = isProven(proof);
	const drawn = width >= LEAST_WIDTH && !screenReader;
	const untried = proof.checks.filter(({result}) => result === 'untried').length;
	const verdict = `${proven ? glyphs.done : glyphs.failed} ${formatNumber(proof.probes)} packets in ${proof.seconds.toFixed(1)} s: ${verdictText(proof)}`;
	const faults = [...firstOf(faultsOf(proof), MOST_FAULTS), ...remediesOf(proof)];
	const above = [...faults, ...proof.leftOut.slice(0, 2).map((what) => `Left out: ${what}.`)];
	const below = [
		`${proof.checks.length - untried} protocol checks run: answers, ping, DHCP, path MTU, stray packets${untried > 0 ? `; ${untried} not tried` : ''}.`,
	];
	const last = [
		...(comparison.before ? [describeBefore(comparison.before)] : []),
		...(comparison.demonstration ? describeVerdicts(comparison.demonstration) : []),
	];
	const linesOf = (texts: readonly string[]) =>
		texts.flatMap((text) => wrapAnsi(text, width, {hard: true}).split('\n')).length;
	const room = Math.max(4, height - linesOf([verdict, ...above, ...below]) - 1);
	const matrix = proofMatrix(proof, named, width, (name) => truncate(name, LONGEST_NAME));
	const views = drawn
		? []
		: [
				...firstOf(proof.views.map(describeView), Math.max(2, room - 3)),
				...describePublished(proof).map((line) => `${line}.`),
			];
	const hasRoom = !drawn || matrixLines(matrix) + linesOf(last) <= room;
	return (
		<Box flexDirection="column">
			<Paragraph close lines={[verdict]} tone={proven ? 'good' : 'danger'} />
			<Paragraph close lines={faults} tone="danger" />
			<Paragraph close lines={[...above.slice(faults.length), ...views]} />
			{drawn && (
				<Box marginTop={above.length > 0 ? 0 : 1} flexShrink={0}>
					<Matrix matrix={matrix} width={width} height={room} />
				</Box>
			)}
			<Paragraph close lines={hasRoom ? [...below, ...last] : below} />
		</Box>
	);
}

function verdictText(proof: Proof): string {
	return isExact(proof)
		? 'exactly what you chose passes.'
		: isProven(proof)
			? 'what you chose passes, as far as it was tried.'
			: onlyLocksOut(proof)
				? 'what you chose passes. You could not log in again.'
				: 'not what you chose.';
}

/**
 * The first `most` lines, and a line that counts the others. A single line left over is shown
 * instead of the count.
 */
function firstOf(lines: readonly string[], most: number): readonly string[] {
	return lines.length <= most + 1
		? lines
		: [...lines.slice(0, most), `${glyphs.more} ${lines.length - most} more`];
}

function faultsOf({views, checks}: Proof): readonly string[] {
	return [
		...describeDifferences(views),
		...checks
			.filter(({result}) => result === 'failed')
			.map(({name, detail}) => `${name}: failed (${detail})`),
	];
}

/** What to do about differences, one line for each kind. */
function remediesOf({views, checks}: Proof): readonly string[] {
	const differences = views.flatMap((view) => view.differences);
	const others = (fact: string) =>
		differences.some((one) => one.fact === fact && one.cause.includes('not part of this firewall'));
	return [
		...(others('passes')
			? ['To close it: Esc, and let this change remove that rule; or open the port in Ports.']
			: []),
		...(others('is closed')
			? ['To open it: change that rule in the program that made it, or let this change remove it.']
			: []),
		...(differences.some(({fact}) => fact === 'is forwarded')
			? ['To close it: Esc to Ports, and put published ports under this policy.']
			: []),
		...(checks.some(({result, wayIn}) => result === 'failed' && wayIn)
			? ['To log in again: Esc, and o in Review opens the port.']
			: []),
	];
}

function describeBefore(before: readonly Observation[]): string {
	const counts = before.map(
		({vantagePoint, passed}) =>
			`${formatNumber(countPorts(passed.tcp))} TCP and ${formatNumber(countPorts(passed.udp))} UDP over IPv${vantagePoint.family}`,
	);
	return `Without rules these ports pass: ${counts.join(', ')}.`;
}

function describeVerdicts(demonstration: Demonstration): readonly string[] {
	const answers = VERDICTS.map((verdict) => {
		const {outcome, milliseconds} = demonstration[verdict];
		const seen = {timeout: 'no answer', ECONNREFUSED: 'refused'}[outcome] ?? outcome;
		return `${verdict}: ${seen} in ${milliseconds} ms`;
	});
	return [`A client at a closed port, measured: ${answers.join('; ')}`];
}
