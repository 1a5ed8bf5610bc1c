import {openPacketTrier, tryPackets} from '../app/try-packet.ts';
import {readAppliedPolicy} from '../change/applied.ts';
import type {Existing} from '../existing/cleanup-plan.ts';
import {findExposure} from '../exposure/find.ts';
import {type Exposed, type ExposedProtocol, type Exposure, REACH_WORDS} from '../exposure/model.ts';
import {type Facts, gatherFacts} from '../host/machine/facts.ts';
import {printJson} from '../lib/json.ts';
import {printPorts} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import type {Policy} from '../policy/policy.ts';
import {policyToJson} from '../policy/print-policy.ts';
import {compilePolicy} from '../ruleset/build.ts';
import {answerLines} from '../ruleset/explain.ts';
import {parsePacket} from '../ruleset/packet.ts';
import type {PlannedChange} from '../testbed/planned-change.ts';
import {type ExistingFlags, readExisting} from './options/existing.ts';
import {hasPolicyFlags, type PolicyFlags} from './options/policy.ts';
import {governHere} from './options/published.ts';
import {readRequest} from './options/request.ts';
import type {Output} from './run-action.ts';

type ExposureFlags = PolicyFlags &
	ExistingFlags & {readonly packet?: readonly string[]; readonly json?: boolean};

/**
 * `fw-wizard exposure`: what the outside can reach of this machine now, and what it
 * could reach with the policy. Changes nothing.
 * @returns what to print, and 0 where at least one row was decided, otherwise 3
 */
export async function exposure(flags: ExposureFlags): Promise<Output> {
	const facts = await gatherFacts();
	const {policy, existing} = await chosenRequest(flags, facts);
	if (flags.packet !== undefined) {
		const change =
			policy && hasPolicyFlags(flags)
				? {...compilePolicy(policy, facts), existing, backend: facts.iptables?.backend}
				: undefined;
		return answerPackets(flags.packet, facts, change, flags.json ?? false);
	}

	const found = await findExposure(facts, policy && {...compilePolicy(policy, facts), existing});
	return {
		code: isKnown(found) ? 0 : 3,
		text: flags.json
			? printJson({...(policy ? {policy: policyToJson(policy)} : {}), ...found})
			: printExposure(found, policy !== undefined),
	};
}

/** `exposure --packet`: what becomes of packets now or, with the flags of a policy, after the change. */
async function answerPackets(
	texts: readonly string[],
	facts: Facts,
	change: PlannedChange | undefined,
	json: boolean,
): Promise<Output> {
	const {families, interfaces} = facts;
	const packets = texts
		.flatMap((text) => parsePacket(text, interfaces[0]?.name ?? 'eth0'))
		.filter(({family}) => families.includes(family));
	const answers = await tryPackets(await openPacketTrier(facts, change), packets);
	const when = change ? 'after' : 'now';
	const lines = answers.flatMap((answer) => {
		const [head, ...rules] = answerLines(answer);
		return [`${when}: ${head}`, ...rules.map((rule) => `  ${rule}`)];
	});
	return {
		code: answers.some(({fate}) => fate !== 'unknown') ? 0 : 3,
		text: json ? printJson({[when]: answers}) : `${lines.join('\n')}\n`,
	};
}

/** Whether at least one row was decided. */
function isKnown({rows, tried}: Exposure): boolean {
	return (
		tried ||
		rows.some(
			({through, before, after}) =>
				through !== 'loopback' && (before !== 'unknown' || (after ?? before) !== 'unknown'),
		)
	);
}

/**
 * The policy of the flags, or else the one that was applied last. Without either, only the present
 * exposure is shown.
 */
async function chosenRequest(
	flags: ExposureFlags,
	facts: Facts,
): Promise<{readonly policy: Policy | undefined; readonly existing: Existing}> {
	if (!hasPolicyFlags(flags)) {
		return {policy: readAppliedPolicy(facts.services), existing: readExisting(flags)};
	}

	const {policy, existing} = await readRequest(flags, facts.services);
	return {policy: await governHere(policy, flags, facts), existing};
}

/** The exposure as a table. The ports that can be reached come first. */
function printExposure(exposure: Exposure, planned: boolean): string {
	const {rows, protocols = [], tried, unread} = exposure;
	const table = [
		...rows.map((row) => cellsOf(row, planned)),
		...protocols.map((row) => protocolCells(row, planned)),
	];
	const head = planned ? ['Now', 'After', 'Port', 'From', 'What'] : ['Now', 'Port', 'From', 'What'];
	const widths = head.map((title, column) =>
		Math.max(
			...[[...head.slice(0, column), title], ...table].map((cells) => cells[column]?.length ?? 0),
		),
	);
	const lines = [head, ...table].map((cells) =>
		cells
			.map((cell, column) => cell.padEnd(Math.min(widths[column] ?? 0, WIDEST)))
			.join('  ')
			.trimEnd(),
	);
	return [
		...(table.length > 0 ? [...lines, ''] : isKnown(exposure) ? [NOTHING, ''] : []),
		tried
			? 'Tried with packets to a copy of this machine.'
			: isKnown(exposure)
				? 'Read from the rules, not tried with packets.'
				: 'What can be reached could not be detected.',
		...unread,
		'',
	].join('\n');
}

const NOTHING = 'Nothing listens here, and no port is open.';
/** Columns. A wider cell moves only the rest of its own line to the right. */
const WIDEST = 34;

/** A row: reach now, reach after a change where one is planned, port, source, and what serves it; safe to print. */
export function cellsOf(row: Exposed, planned: boolean): readonly string[] {
	const {protocol, ports, families, from, before, after = before} = row;
	const numbers = ports.map((range) => printPorts(range, '-')).join(',');
	const family = families.length === 1 ? `, IPv${families[0]}` : '';
	return [
		REACH_WORDS[before],
		...(planned ? [REACH_WORDS[after]] : []),
		`${numbers}/${protocol}${family}`,
		from,
		printable(describeTarget(row), 120),
	];
}

export function protocolCells(row: ExposedProtocol, planned: boolean): readonly string[] {
	const {name, families, from, by, before, after = before} = row;
	const family = families.length === 1 ? `, IPv${families[0]}` : '';
	return [
		...(planned ? [before, after] : [before]).map((reach) => REACH_WORDS[reach]),
		`${name}${family}`,
		from,
		by ?? 'nothing is known to receive it',
	];
}

function describeTarget({through, process, to, by, container, listens}: Exposed): string {
	if (through === 'a container') {
		return `${by} sends it on to ${container === undefined ? to : `${container} (${to})`}, past INPUT`;
	}

	const name = process ?? (listens ? 'process unknown' : 'nothing listens');
	return to === undefined
		? by === undefined
			? name
			: `${name}, for a container of ${by}`
		: `${name}, at ${to} by ${by}`;
}
