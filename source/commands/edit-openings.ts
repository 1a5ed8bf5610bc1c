import process from 'node:process';
import type {OpeningsChange, OpeningsEdit} from '../app/change-openings.ts';
import type {EdgeProof} from '../app/prove-change.ts';
import {readAppliedPolicy} from '../change/applied.ts';
import {CONFIRM_SECONDS} from '../change/confirm-time.ts';
import {KEEP_EXISTING} from '../existing/cleanup-plan.ts';
import {yieldToEventLoop} from '../host/exec/yield.ts';
import {type Facts, gatherFacts} from '../host/machine/facts.ts';
import {servicesHere} from '../host/machine/host-facts.ts';
import {findOwners} from '../host/netfilter/managers.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError} from '../lib/errors.ts';
import {printJson} from '../lib/json.ts';
import {joinWords} from '../lib/list.ts';
import {printPorts} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import {printOpened, printOpening, shortOpening} from '../policy/opening.ts';
import {parseOpeningWords} from '../policy/parse-opening.ts';
import {mergeGroups} from '../policy/sources.ts';
import type {ConfirmationFlags} from './options/confirmation.ts';
import {readSources} from './options/sources.ts';
import {requireRoot} from './require-root.ts';
import {waitInTerminal} from './wait-in-terminal.ts';

export type EditFlags = Pick<ConfirmationFlags, 'confirmWithin' | 'rehearsal'> & {
	/** False with --no-proof. */
	readonly proof?: boolean;
	readonly full?: boolean;
	readonly yes?: boolean;
	readonly json?: boolean;
};

/** What a proof has shown of the change. */
type Shown = Pick<EdgeProof, 'probes' | 'seconds' | 'differences' | 'leftOut'>;

/**
 * Reads what is to be opened or closed. It can be for a group of sources of the applied policy, or of the flags.
 * @param sources what --source defines
 * @throws {InputError} @throws {HostError} where only root can read the applied policy
 */
export function readEdit(
	kind: OpeningsEdit['kind'],
	words: readonly string[],
	sources?: readonly string[],
): OpeningsEdit {
	const services = servicesHere();
	const said = readSources(sources);
	let groups = said;
	if (words.some((word) => word.includes('@'))) {
		requireRoot([kind, ...words].map(quoteIfNeeded).join(' '));
		groups = mergeGroups(readAppliedPolicy(services)?.sources, said);
	}

	return {kind, openings: parseOpeningWords(words, services, groups), sources: said};
}

/**
 * Changes the openings of the policy that was applied: shows the rules that change, proves the ports that change,
 * and applies them. A change that may cut off a login waits for `fw-wizard confirm`.
 * @throws {HostError} with exit code 1 where the rules do not do what the policy says; nothing was changed
 */
export async function editOpenings(edit: OpeningsEdit, flags: EditFlags): Promise<string> {
	const names = edit.openings.map(printOpening);
	const opens = edit.openings.map(printOpened);
	requireRoot([edit.kind, ...names].map(quoteIfNeeded).join(' '));
	const {confirmWithin: seconds = CONFIRM_SECONDS.usual, proof = true, rehearsal, json} = flags;
	const gathering = Promise.all([findOwners(), gatherFacts()]);
	gathering.catch(() => {});
	// Behind the programs that were just started, and while they run.
	await yieldToEventLoop();
	const [{planOpenings}, {startChange}] = await Promise.all([
		import('../app/change-openings.ts'),
		import('../app/start-change.ts'),
	]);
	const [owners, {sockets, ...facts}] = await gathering;
	const change = await planOpenings(facts, edit, flags.yes ?? false, owners, sockets);
	if (change.opened.length + change.closed.length === 0) {
		const open = change.plan.policy.openings.map(printOpening);
		return json
			? `${JSON.stringify({applied: false, [edit.kind === 'open' ? 'opened' : 'closed']: []})}\n`
			: `Nothing changes: the policy opens ${joinWords(opens)} already, or more than that, and for as long.\nOpen: ${open.join('; ')}\n`;
	}

	tell([...change.notes, ...describeNarrowed(edit, change), ...describeRows(change)], json);
	const shown = proof ? await prove(facts, change, flags.full ?? false) : undefined;
	if (shown !== undefined && shown.differences.length > 0) {
		throw new HostError(
			`Not what the policy says: ${printable(shown.differences.join('; '), 300)}`,
			'Nothing was changed. To apply it all the same: add --no-proof',
			1,
		);
	}

	tell(shown === undefined ? [] : describeProof(shown), json);
	const plan = {...change.plan, rehearsal};
	// Only a proof of all ports takes so long that the user may have come in another way meanwhile.
	const session = proof && flags.full ? undefined : plan.session;
	const started = await startChange(plan, seconds, change.beside, session);
	if (!plan.atOnce) {
		const {describeLockouts} = await import('./apply.ts');
		await waitInTerminal(started, seconds, describeLockouts(plan));
	}

	return json ? toJson(edit, change, started.id, shown) : describeDone(edit, change, started.id);
}

/** Prints lines on the way, unless the output is for a program. */
function tell(lines: readonly string[], json = false): void {
	process.stdout.write(json ? '' : lines.map((line) => `${line}\n`).join(''));
}

async function prove(facts: Facts, change: OpeningsChange, full: boolean): Promise<Shown> {
	const {plan, opened, closed} = change;
	// What is not used is not loaded: that takes longer than the rest of the change.
	if (!full) {
		const {proveEdges} = await import('../app/prove-change.ts');
		return proveEdges(facts, plan, [...opened, ...closed]);
	}

	const [{makeProver}, {describeDifferences}] = await Promise.all([
		import('../app/prove.ts'),
		import('../proof/describe-proof.ts'),
	]);
	const proof = await makeProver(facts).prove({...plan, existing: KEEP_EXISTING}, () => {});
	return {
		...proof,
		differences: [
			...describeDifferences(proof.views),
			...proof.checks
				.filter(({result, wayIn}) => result === 'failed' && !wayIn)
				.map(({name, detail}) => `${name}: ${detail}`),
		],
	};
}

/** What closes because something narrower is opened, in a line. */
function describeNarrowed({kind}: OpeningsEdit, {closed}: OpeningsChange): readonly string[] {
	return kind === 'close' || closed.length === 0
		? []
		: [`That narrows what is open now: the rest of ${joinWords(closed.map(shortOpening))} closes.`];
}

/** The rules that change, a line each: `+ IPv4, IPv6: -A FW-WIZARD-INPUT -p tcp --dport 8080 -j ACCEPT` */
function describeRows({rows}: OpeningsChange): readonly string[] {
	return rows.map(({mark, families, own, text}) =>
		printable(
			`${mark === 'added' ? '+' : '-'} ${families.map((family) => `IPv${family}`).join(', ')}: -A ${own.name} ${text}`,
			400,
		),
	);
}

function describeProof({
	probes,
	seconds,
	leftOut,
	...rest
}: Shown & Partial<EdgeProof>): readonly string[] {
	const ports = (rest.ports ?? []).map((range) => printPorts(range, '-')).join(', ');
	const where = ports === '' ? '' : ` to ports ${ports}`;
	return [
		`Proven by ${probes} packets${where} in ${seconds.toFixed(1)} s: only what the policy opens passes.`,
		...leftOut.map((what) => printable(`Left out of the proof: ${what}`, 300)),
	];
}

function describeDone(
	{kind}: OpeningsEdit,
	{opened, closed, plan}: OpeningsChange,
	id: number,
): string {
	const changed = kind === 'open' ? opened : closed;
	const are = changed.length === 1 ? 'is' : 'are';
	const narrowed = kind === 'open' ? joinWords(closed.map(shortOpening)) : '';
	const lines = [
		`${joinWords(changed.map(shortOpening))} ${are} ${kind === 'open' ? 'open' : 'closed'}${narrowed === '' ? '' : `, and the rest of ${narrowed} is closed`}. Change ${id}; to undo it: ${commandLine('undo')}`,
		...plan.cutOff.map(
			({localPort, remoteAddress, stays}) =>
				`A connection from ${remoteAddress} to port ${localPort} ${stays ? 'stays until it ends' : 'may break'}.`,
		),
		...(kind === 'open' ? plan.advice : []),
	];
	return lines.map((line) => `${printable(line, 400)}\n`).join('');
}

function toJson(
	{kind}: OpeningsEdit,
	{opened, closed, rows}: OpeningsChange,
	id: number,
	shown: Shown | undefined,
): string {
	const rulesMarked = (wanted: 'added' | 'removed') =>
		rows
			.filter(({mark}) => mark === wanted)
			.map(({families, own, text}) => ({families, chain: own.name, rule: text}));
	const proof = shown && {
		packets: shown.probes,
		seconds: shown.seconds,
		leftOut: shown.leftOut,
	};
	return printJson({
		applied: true,
		change: id,
		...(kind === 'open' ? {opened: opened.map(printOpening)} : {}),
		...(kind === 'close' || closed.length > 0
			? {[kind === 'close' ? 'closed' : 'narrowed']: closed.map(printOpening)}
			: {}),
		rules: {added: rulesMarked('added'), removed: rulesMarked('removed')},
		proof: proof ?? null,
	});
}
