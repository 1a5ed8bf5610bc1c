import {describeConnections} from '../../app/describe-connections.ts';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import {countKept, type ProgramRules} from '../../existing/kept-rules.ts';
import {programOfRule} from '../../existing/rule-owner.ts';
import {countOf} from '../../lib/format-number.ts';
import {groupBy} from '../../lib/group-by.ts';
import {joinSome} from '../../lib/list.ts';
import {type Network, printNetwork} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import type {Opening} from '../../policy/opening.ts';
import {openingOf} from '../../policy/port-openings.ts';
import {openingFor} from '../../ruleset/lockout.ts';
import {describeShutToGuests, openingsForGuests} from '../../services/guest-service.ts';
import {describeUnopened, openingForUse} from '../../services/protocol-use.ts';
import type {ExposureState} from '../hooks/use-exposure.ts';
import {rowsOf} from '../state/ports.ts';
import type {Flow} from '../state/state.ts';
import {tableLines} from './review-table.ts';
import {describeBlocked} from './served.ts';
import {type Line, wrapLines} from './wrap.ts';

/** Up to this many removed rules are shown themselves. */
const MOST_RULES = 3;

/**
 * The openings that would keep what a policy cuts off, for the key that adds them: first the ports that the user needs
 * to log in again; where those are open, connections, containers, guests and protocols.
 */
export function openingsToKeep(
	plan: Pick<ApplyPlan, 'lockouts' | 'cutOff' | 'shutToGuests' | 'unopened'>,
): readonly Opening[] {
	const {lockouts, cutOff, shutToGuests, unopened} = plan;
	return lockouts.length > 0
		? lockouts.map(openingFor)
		: [
				...cutOff.map(({localPort}) => openingOf({protocol: 'tcp', port: localPort})),
				...openingsForGuests(shutToGuests),
				...unopened.map(openingForUse),
			];
}

/**
 * What the change means, for one screen: what will be blocked or cut off, each port now and after it, what happens to
 * rules of other programs, and what was not judged.
 */
export function summaryLines(
	flow: Pick<Flow, 'known' | 'policy' | 'existing'>,
	plan: ApplyPlan,
	exposure: ExposureState,
	width: number,
): readonly Line[] {
	const rows = rowsOf(flow);
	const blocked = describeBlocked(rows, plan);
	const choice = flow.known.choices.value?.find(({existing}) => existing === flow.existing);
	const cutOff = [...describeUnopened(plan.unopened), ...describeShutToGuests(plan.shutToGuests)];
	const connections = describeConnections(plan);
	const cutsOff = connections.length + cutOff.length > 0 && plan.lockouts.length === 0;
	const warnings = [
		...(blocked === undefined ? [] : [blocked]),
		...cutOff,
		...(cutsOff ? ['Press o to keep that open.'] : []),
		...(choice?.warnings ?? []),
		...(choice?.breaks ?? []),
		...plan.advice,
	];
	const {helpers, log, blocked: banned = []} = flow.policy;
	const others = [
		...keptLines(plan),
		...removedLines(plan),
		...plan.existing.switchOff.map((name) => `${name} is switched off. Undo switches it on again.`),
		...(banned.length === 0 ? [] : [`Blocked: ${listNetworks(banned)}.`]),
		`Helpers: ${helpers.join(', ') || 'none'}. Blocked packets are ${log ? '' : 'not '}logged.`,
	];
	return [
		...connections.flatMap((text) => wrapLines(text, width, 'danger')),
		...warnings.flatMap((text) => wrapLines(text, width, 'attention')),
		...tableLines(
			exposure.status === 'found' ? exposure.exposure : undefined,
			rows,
			flow.policy,
			width,
		),
		...others.flatMap((text) => wrapLines(text, width, 'plain')),
		...exposureNotes(exposure).flatMap(({text, tone}) => wrapLines(text, width, tone)),
	];
}

/** `Kept: the rules of fail2ban (2) and Docker (11), 3 other rules` */
function keptLines({snapshots, cleanups}: ApplyPlan): readonly string[] {
	const kept = countKept(
		snapshots ?? [],
		(cleanups ?? []).map(({cleanup}) => cleanup),
	);
	return kept.length === 0 ? [] : [`Kept: ${listPrograms(kept)}.`];
}

/** The removed rules themselves where they are few; of many how many, and whose. */
function removedLines({cleanups, savedEdits}: ApplyPlan): readonly string[] {
	if (cleanups === undefined) {
		return ['Which rules are removed is not known yet.'];
	}

	const rules = cleanups.flatMap(({cleanup}) => cleanup.rules);
	const texts = [...new Set(rules)];
	const byProgram = groupBy(rules, (rule) => programOfRule(rule)?.name ?? '').map(
		(group): ProgramRules => {
			const program = programOfRule(group[0])?.name;
			return {...(program === undefined ? {} : {program}), rules: group.length};
		},
	);
	const policies = cleanups.flatMap(({cleanup}) =>
		cleanup.policies.map(({chain, from, to}) => `-P ${chain} ${from} becomes ${to}`),
	);
	const files = [...new Set(savedEdits.map(({file}) => file))];
	return [
		...(rules.length === 0
			? []
			: [
					texts.length <= MOST_RULES
						? `Removed: ${texts.map((rule) => printable(rule)).join('; ')}`
						: `Removed: ${listPrograms(byProgram)}. The tab Rules lists them.`,
				]),
		...new Set(policies),
		...(files.length === 0
			? []
			: [`Also taken out of ${files.map((file) => printable(file)).join(', ')}.`]),
	];
}

function listPrograms(programs: readonly ProgramRules[]): string {
	return programs
		.map(({program, rules}) =>
			program === undefined
				? `${countOf(rules, 'rule')} of no known program`
				: `${program} (${countOf(rules, 'rule')})`,
		)
		.join(', ');
}

/** Networks beyond these are counted. */
const MOST_NETWORKS = 5;

function listNetworks(networks: readonly Network[]): string {
	return joinSome(networks.map(printNetwork), MOST_NETWORKS);
}

/** How the table was found, and what it leaves out. */
function exposureNotes(state: ExposureState): readonly Line[] {
	switch (state.status) {
		case 'looking':
			return [
				{
					text: 'Packets are sent to a copy of this machine, to see what is open now.',
					tone: 'muted',
				},
			];
		case 'failed':
			return [
				{text: `What is open now could not be detected: ${state.message}.`, tone: 'attention'},
			];
		case 'found':
			return [
				...state.exposure.unread.map((line) => ({
					text: `Not judged: ${line}`,
					tone: 'attention' as const,
				})),
				{
					text: state.exposure.tried
						? 'Tried with packets to a copy of this machine.'
						: 'Read from the rules, not tried with packets.',
					tone: 'muted',
				},
			];
	}
}
