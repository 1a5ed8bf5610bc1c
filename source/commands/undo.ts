import {reportChanges, undoChanges, undoEverything} from '../change/undo.ts';
import {familiesHere, hostFacts} from '../host/machine/host-facts.ts';
import {findSession} from '../host/sockets/session.ts';
import {HostError, InputError} from '../lib/errors.ts';
import {joinWords} from '../lib/list.ts';
import {printable} from '../lib/printable.ts';
import {planRemoval} from '../persistence/plan.ts';
import {parsePolicy} from '../policy/policy.ts';
import {buildRuleSet} from '../ruleset/build.ts';
import {findLockouts, printAccessPort} from '../ruleset/lockout.ts';
import {requireRoot} from './require-root.ts';

export type UndoFlags = {
	readonly list?: boolean;
	readonly to?: string;
	readonly all?: boolean;
	readonly yes?: boolean;
	readonly json?: boolean;
};

/** `fw-wizard undo`: puts back what was there before. @throws {HostError} */
export async function undo(flags: UndoFlags): Promise<string> {
	requireRoot('fw-wizard undo');
	if (flags.list) {
		return flags.json ? `${JSON.stringify(reportChanges(), undefined, '\t')}\n` : listChanges();
	}

	if (flags.all) {
		await undoEverything(familiesHere(), planRemoval());
		return flags.json
			? `${JSON.stringify({undone: 'all'})}\n`
			: 'Every trace of fw-wizard is removed: its chains, its files. Other rules are as they were.\n';
	}

	const undone = await undoChanges(parseId(flags.to), flags.yes ? undefined : assertWayIn);
	return flags.json
		? `${JSON.stringify({undone})}\n`
		: `Undone: change ${undone.join(', ')}. The rules are as they were before.\n`;
}

/** Rules that were right when they were made may shut the door that is used today. @throws {HostError} */
async function assertWayIn(text: string | null): Promise<void> {
	const session = await findSession();
	if (text === null || session.kind !== 'remote') {
		return;
	}

	const {families, services} = hostFacts();
	const ruleSet = buildRuleSet(parsePolicy(text, services), {families});
	const shut = findLockouts(ruleSet, session).map(printAccessPort);
	if (shut.length > 0) {
		throw new HostError(
			`The rules from before shut ${joinWords(shut)}, through which you are connected`,
			'Nothing was changed. To put them back all the same: add --yes',
			1,
		);
	}
}

function listChanges(): string {
	const states = {
		pending: 'waits',
		kept: 'kept',
		done: 'kept',
		rolling: 'being rolled back',
		undoing: 'being undone',
		'rolled-back': 'rolled back',
	} as const;
	const rows = reportChanges().map(({id, time, who, summary, state}) =>
		[
			`${id}`.padStart(4),
			time,
			printable(who, 32),
			state ? states[state] : '',
			printable(summary, 400),
		].join('  '),
	);
	return rows.length === 0 ? 'No change is remembered.\n' : `${rows.join('\n')}\n`;
}

function parseId(text: string | undefined): number | undefined {
	if (text !== undefined && !/^\d{1,9}$/.test(text)) {
		throw new InputError(
			`"${printable(text)}" is not a change`,
			'Write a number of: fw-wizard undo --list',
		);
	}

	return text === undefined ? undefined : Number(text);
}
