import {describeUndone, removeEverything, undoChange} from '../app/undo-change.ts';
import {reportChanges} from '../change/undo.ts';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {printJson} from '../lib/json.ts';
import {printable} from '../lib/printable.ts';
import {requireRoot} from './require-root.ts';

type UndoFlags = {
	readonly list?: boolean;
	readonly to?: string;
	readonly all?: boolean;
	readonly yes?: boolean;
	readonly json?: boolean;
};

/** `fw-wizard undo`: restores what was there before a change. @throws {HostError} */
export async function undo(flags: UndoFlags): Promise<string> {
	requireRoot('undo');
	if (flags.list) {
		return flags.json ? printJson({changes: reportChanges()}) : listChanges();
	}

	if (flags.all) {
		const {cleaned, left} = await removeEverything();
		return flags.json
			? `${JSON.stringify({undone: 'all', cleaned, left})}\n`
			: [
					left.length === 0
						? 'Every trace of fw-wizard is removed: its chains, its files. Other rules are as they were.\n'
						: 'The chains and files of fw-wizard are removed. Other rules are as they were.\n',
					...cleaned.map(
						(file) => `Its rules are taken out of ${file}, where they had been saved.\n`,
					),
					...left.map(
						(file) => `Its rules are still in ${file}, from where a boot may load them: edit it.\n`,
					),
				].join('');
	}

	const undone = await undoChange(parseId(flags.to), flags.yes ?? false);
	return flags.json ? `${JSON.stringify({undone})}\n` : `${describeUndone(undone)}\n`;
}

function listChanges(): string {
	const states = {
		pending: 'waits',
		kept: 'confirmed',
		done: 'confirmed',
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
			`Write a number of: ${commandLine('undo --list')}`,
		);
	}

	return text === undefined ? undefined : Number(text);
}
