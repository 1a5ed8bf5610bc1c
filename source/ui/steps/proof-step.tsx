import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import {countPorts} from '../../lib/port-ranges.ts';
import {VERDICTS} from '../../policy/policy.ts';
import type {Demonstration} from '../../proof/demonstrate-verdicts.ts';
import {
	describePortDifference,
	describeView,
	isExact,
	isProven,
	onlyLocksOut,
	type Proof,
} from '../../proof/report.ts';
import type {Observation} from '../../proof/sweep.ts';
import {Paragraph, WidthContext} from '../components/paragraph.tsx';
import {mapRows, PortMap} from '../components/port-map.tsx';
import type {Comparison, ProofState} from '../hooks/use-proof.ts';
import {glyphs, screenReader, styleOf} from '../theme.ts';
import type {StepProps} from './step-props.ts';

export function ProofStep({proof, comparison, height}: StepProps): ReactElement {
	switch (proof.status) {
		case 'none':
			return <Text> </Text>;
		case 'running':
			return <Running {...proof} />;
		case 'impossible':
			return (
				<Box flexDirection="column">
					<Text {...styleOf('warning')}>{proof.message}</Text>
					<Paragraph lines={[`${proof.hint}.`, 'You can go on without the proof.']} />
				</Box>
			);
		case 'done':
			return <Done proof={proof.proof} comparison={comparison} height={height} />;
	}
}

function Running({progress, seconds}: Extract<ProofState, {status: 'running'}>): ReactElement {
	const width = useContext(WidthContext);
	const cells = Math.max(10, Math.min(60, width - 6));
	const done = Math.floor((cells * progress.sent) / progress.total);
	const sweeping = progress.sent < progress.total;
	const rate = seconds > 0 ? Math.round(progress.sent / seconds) : 0;
	if (screenReader) {
		// A screen reader reads every change of the text, so it changes only at each tenth.
		return (
			<Text>Packets are sent: {10 * Math.floor((10 * progress.sent) / progress.total)} %.</Text>
		);
	}

	return (
		<Box flexDirection="column">
			<Text>
				<Text {...styleOf('accept')}>{glyphs.cell.repeat(done)}</Text>
				<Text {...styleOf('muted')}>{glyphs.emptyCell.repeat(cells - done)}</Text>{' '}
				{Math.floor((100 * progress.sent) / progress.total)} %
			</Text>
			<Paragraph
				lines={[
					sweeping
						? `A packet to every port of a copy of this machine: ${progress.sent} sent, ${rate} a second. Nothing here is touched.`
						: 'All packets are sent. Now whole dialogues: answers, ping, DHCP, path MTU, stray packets.',
				]}
			/>
		</Box>
	);
}

/** The height from which on both maps and all sentences fit, some of them wrapped. */
const ROOM_FOR_BOTH = 22;

const MOST_FAULTS = 4;

type DoneProps = {
	readonly proof: Proof;
	readonly comparison: Comparison;
	readonly height: number;
};

/**
 * The result of a proof: the verdict first, then as many maps as fit, since the end of the step may
 * be cut off.
 */
function Done({proof, comparison, height}: DoneProps): ReactElement {
	const width = useContext(WidthContext);
	const roomy = height >= ROOM_FOR_BOTH && !screenReader;
	const proven = isProven(proof);
	const faults = faultsOf(proof);
	// Lines around the list of the ports that pass, wrapped on 60 columns.
	const otherLines =
		(roomy ? 18 : 13) +
		Math.min(faults.length, MOST_FAULTS) +
		2 * Math.min(proof.leftOut.length, 2);
	const strangers = proof.views.filter(({vantagePoint}) => vantagePoint.name === 'anywhere');
	const untried = proof.checks.filter(({result}) => result === 'untried').length;
	const after = strangers.flatMap(({vantagePoint, passed}) => mapRows(vantagePoint.family, passed));
	const before = (comparison.before ?? []).flatMap(({vantagePoint, passed}) =>
		mapRows(vantagePoint.family, passed),
	);
	return (
		<Box flexDirection="column">
			<Paragraph
				close
				lines={[
					`${proven ? glyphs.done : glyphs.failed} ${proof.probes} packets in ${proof.seconds.toFixed(1)} s: ${verdictText(proof)}`,
				]}
				tone={proven ? 'accept' : 'warning'}
			/>
			<Paragraph
				close
				lines={[
					...firstOf(faults, MOST_FAULTS),
					...proof.leftOut.slice(0, 2).map((what) => `Left out: ${what}.`),
					...firstOf(proof.views.map(describeView), Math.max(2, height - otherLines)),
					`${proof.checks.length - untried} dialogues tried: answers, ping, DHCP, path MTU, stray packets${untried > 0 ? `; ${untried} not tried` : ''}.`,
				]}
			/>
			<Box marginTop={1} flexDirection="column" flexShrink={0}>
				<PortMap title="After" rows={after} width={width} />
			</Box>
			{comparison.before && !roomy && (
				<Paragraph close lines={[describeBefore(comparison.before)]} />
			)}
			{comparison.demonstration && (
				<Paragraph lines={describeVerdicts(comparison.demonstration)} close={!roomy} />
			)}
			{before.length > 0 && roomy && (
				<Box marginTop={1} flexDirection="column" flexShrink={0}>
					<PortMap title="No rules" rows={before} width={width} />
				</Box>
			)}
		</Box>
	);
}

function verdictText(proof: Proof): string {
	return isExact(proof)
		? 'exactly what you chose passes.'
		: isProven(proof)
			? 'what you chose passes, as far as it was tried.'
			: onlyLocksOut(proof)
				? 'what you chose passes. You could not come in again.'
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
		...views.flatMap((view) =>
			view.differences.map((difference) => describePortDifference(view, difference)),
		),
		...checks
			.filter(({result}) => result === 'failed')
			.map(({name, detail}) => `${name}: failed (${detail})`),
	];
}

function describeBefore(before: readonly Observation[]): string {
	const counts = before.map(
		({vantagePoint, passed}) =>
			`${countPorts(passed.tcp)} TCP and ${countPorts(passed.udp)} UDP over IPv${vantagePoint.family}`,
	);
	return `Without rules these ports pass: ${counts.join(', ')}.`;
}

function describeVerdicts(demonstration: Demonstration): readonly string[] {
	const answers = VERDICTS.map((verdict) => {
		const {outcome, milliseconds} = demonstration[verdict];
		const seen = {timeout: 'no answer', ECONNREFUSED: 'refused'}[outcome] ?? outcome;
		return `${verdict}: ${seen} in ${milliseconds} ms`;
	});
	return [`A client at a shut port, measured: ${answers.join('; ')}`];
}
