import {accessSync, constants, realpathSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Elevation, Invocation} from '../../lib/command-line.ts';
import {printable} from '../../lib/printable.ts';
import {quoteIfNeeded} from '../../lib/shell-quote.ts';
import {readJson} from '../files/read-text.ts';
import {findProgram, SYSTEM_PATH} from './find-program.ts';
import {INSTALLED_DIR} from './installed.ts';
import {selfCommand} from './self.ts';

const NAME = 'fw-wizard';

/** How a person on another machine runs this program here by its --host, and how they log in. */
export const PROGRAM_VARIABLE = 'FW_WIZARD_PROGRAM';
export const LOGIN_VARIABLE = 'FW_WIZARD_LOGIN';

/**
 * How a person starts this program again, from any folder and also in a new login: by its name where
 * that is in the PATH, by npx where npx has fetched it, and otherwise by whole paths.
 */
export function findInvocation(): Invocation {
	const elsewhere = process.env[PROGRAM_VARIABLE];
	if (elsewhere) {
		// It becomes root by itself.
		return {program: printable(elsewhere, 400)};
	}

	const isRoot = process.geteuid?.() === 0;
	// Who came through sudo logs in again as an ordinary user.
	const isUser = !isRoot || process.env.SUDO_USER !== undefined;
	return {
		program: printable(findProgramWords(isRoot), 400),
		elevation: isUser ? findElevation() : undefined,
	};
}

function findProgramWords(isRoot: boolean): string {
	const file = selfCommand().at(-1) ?? process.execPath;
	const find = (name: string) => (isRoot ? findInPath(name) : findProgram(name));
	if (isSame(find(NAME), file) || file === `${INSTALLED_DIR}/cli.js`) {
		return NAME;
	}

	const fetched = npxWords(file);
	if (fetched !== undefined && find('npx') !== undefined) {
		return `npx ${fetched}`;
	}

	const node = isSame(findProgram('node'), process.execPath) ? 'node' : process.execPath;
	return (file === process.execPath ? [file] : [node, file]).map(quoteIfNeeded).join(' ');
}

/** How the person who is on another machine logs in here, where that is known. */
export function loginElsewhere(): string | undefined {
	const login = process.env[LOGIN_VARIABLE];
	return login ? printable(login, 300) : undefined;
}

/** The way to root from here: sudo, or su where that is missing. */
export function findElevation(): Elevation | undefined {
	return (['sudo', 'su'] as const).find((name) => findProgram(name) !== undefined);
}

/**
 * A program in root's own PATH. sudo(8) has a PATH of its own. npm and npx put folders in front that
 * no other shell has.
 */
function findInPath(name: string): string | undefined {
	const own = (process.env.PATH ?? '')
		.split(':')
		.filter((folder) => path.isAbsolute(folder) && !folder.includes('/node_modules/'));
	return [...own, ...SYSTEM_PATH].map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

function isSame(one: string | undefined, other: string): boolean {
	try {
		return one !== undefined && realpathSync(one) === realpathSync(other);
	} catch {
		return false;
	}
}

/**
 * The words behind npx: `fw-wizard@0.1.0`, or `-p node@22 -p fw-wizard fw-wizard` where npx brings a newer Node
 * as well. npx keeps what it fetches in `~/.npm/_npx/HASH/node_modules`, and writes beside that what it was asked
 * for (libnpmexec).
 * @returns undefined where npx did not fetch the program from the registry
 */
function npxWords(file: string): string | undefined {
	const [, folder] = /^(.*\/_npx\/[^/]+)\/node_modules\//.exec(file) ?? [];
	const manifest = folder === undefined ? {} : Object(readJson(path.join(folder, 'package.json')));
	const asked: unknown = manifest._npx?.packages;
	const names = Array.isArray(asked) ? asked.map(String) : [];
	const isKnown = names.every((name) => /^(?:node|fw-wizard)(?:@[\w.^~-]+)?$/.test(name));
	if (!isKnown || !names.some((name) => name.startsWith(NAME))) {
		return undefined;
	}

	return names.length === 1 ? names[0] : [...names.flatMap((name) => ['-p', name]), NAME].join(' ');
}
