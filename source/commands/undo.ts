import {reportChanges, undoChanges, undoEverything} from '../change/undo.ts';
import {familiesHere} from '../host/first-facts.ts';
import {planRemoval} from '../persistence/index.ts';
import {InputError} from '../policy/input-error.ts';
import {printable} from '../policy/printable.ts';
import {assertRoot} from './assert-root.ts';

export type UndoFlags = {
	readonly list?: boolean;
	readonly to?: string;
	readonly all?: boolean;
	readonly json?: boolean;
};

/** `fw-wizard undo`: puts back what was there before. @throws {HostError} */
export async function undo(flags: UndoFlags): Promise<string> {
	assertRoot('fw-wizard undo');
	if (flags.list) {
		return flags.json ? `${JSON.stringify(reportChanges(), undefined, '\t')}\n` : listChanges();
	}

	if (flags.all) {
		await undoEverything(familiesHere(), planRemoval());
		return flags.json
			? `${JSON.stringify({undone: 'all'})}\n`
			: 'Every trace of fw-wizard is removed: its chains, its files. Other rules are as they were.\n';
	}

	const undone = await undoChanges(parseId(flags.to));
	return flags.json
		? `${JSON.stringify({undone})}\n`
		: `Undone: change ${undone.join(', ')}. The rules are as they were before.\n`;
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
