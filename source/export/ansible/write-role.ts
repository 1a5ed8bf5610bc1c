import {mkdirSync, readdirSync, readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import {selfCommand} from '../../host/exec/self.ts';
import {writeWhole} from '../../host/files/atomic-write.ts';
import {readText} from '../../host/files/read-text.ts';
import {explainError, InputError} from '../../lib/errors.ts';
import {printable} from '../../lib/printable.ts';
import type {Policy} from '../../policy/policy.ts';
import {MADE_BY} from '../shell.ts';
import {printRole} from './role.ts';

/** What the bundle needs beside it, to be run and to be passed on. */
const BUNDLE = ['cli.js', 'package.json', 'third-party-licences.txt'] as const;

/**
 * Writes a role of Ansible into a folder: a new one, an empty one, or one with such a role.
 * @returns the paths of its files in that folder
 * @throws {InputError} where something else is there
 * @throws {HostError} where a file cannot be written
 */
export function writeRole(folder: string, policy: Policy): readonly string[] {
	assertOwn(folder);
	const [, ...rest] = selfCommand();
	const script = rest.at(-1);
	// The stand-alone binary has no script to pass on.
	const bundle =
		script === undefined
			? {}
			: Object.fromEntries(
					BUNDLE.map((name) => [
						`files/fw-wizard/${name}`,
						readBundled(path.join(path.dirname(script), name)),
					]),
				);
	const files = {...printRole(policy, script === undefined ? 'fw-wizard' : undefined), ...bundle};
	for (const [name, text] of Object.entries(files)) {
		const file = path.join(folder, name);
		try {
			mkdirSync(path.dirname(file), {recursive: true});
			writeWhole(file, text, 0o644);
		} catch (error) {
			throw explainError(error, file);
		}
	}

	return Object.keys(files);
}

function assertOwn(folder: string): void {
	const found = statSync(folder, {throwIfNoEntry: false});
	const isEmpty = found?.isDirectory() && readdirSync(folder).length === 0;
	const isMade = readText(path.join(folder, 'meta/main.yml'))?.startsWith(`---\n${MADE_BY}\n`);
	if (found !== undefined && !isEmpty && !isMade) {
		throw new InputError(
			`${printable(folder)} is there, and is no role that fw-wizard has written`,
			'Name a new folder, as in roles/fw_wizard',
		);
	}
}

function readBundled(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw explainError(error, file);
	}
}
