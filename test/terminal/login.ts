import {copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {CLI} from '../_helpers/lab/cli.ts';
import type {Host} from '../_helpers/lab/namespaces.ts';
import type {Variables} from '../_helpers/lab/programs.ts';

/** Somebody who may log in to a machine of the test, with a Node that only their own PATH has. */
export type Login = {
	readonly name: string;
	readonly password: string;
	/** What stands before a program that they run. */
	readonly enter: readonly string[];
	readonly variables: Variables;
	/** The program as nvm and npx start it. */
	readonly words: readonly string[];
	readonly home: string;
	readonly remove: () => void;
};

const NAME = 'fww-user';
const ID = 64_321;
const PASSWORD = 'correct horse';
const ROOT_PASSWORD = 'battery staple';

/** Root's own password on a machine where `makeLogin` was. */
export const ROOT = {password: ROOT_PASSWORD};

/** Adds a user to the machine's own view of /etc: who may use sudo, and who root lets in by su. */
export async function makeLogin(host: Host): Promise<Login> {
	const home = mkdtempSync(path.join(os.tmpdir(), `fww-login-${process.pid}-`));
	const remove = () => rmSync(home, {recursive: true, force: true});
	const [bin, cache] = ['.nvm/versions/node/bin', '.npm/_npx/1a2b3c/node_modules'].map((folder) =>
		path.join(home, folder),
	) as [string, string];
	mkdirSync(bin, {recursive: true});
	mkdirSync(path.join(cache, 'fw-wizard/build'), {recursive: true});
	mkdirSync(path.join(cache, '.bin'));
	const node = path.join(bin, 'node');
	const script = path.join(cache, '.bin/fw-wizard');
	copyFileSync(process.execPath, node);
	cpSync(CLI, path.join(cache, 'fw-wizard/build/cli.js'));
	symlinkSync('../fw-wizard/build/cli.js', script);
	const append = async (file: string, line: string) =>
		host.must('sh', ['-c', `cat >> ${file}`], {input: `${line}\n`});
	await append('/etc/passwd', `${NAME}:x:${ID}:${ID}::${home}:/bin/sh`);
	await append('/etc/group', `${NAME}:x:${ID}:`);
	await append('/etc/shadow', `${NAME}:*:19000:0:99999:7:::`);
	await host.must('chpasswd', [], {input: `${NAME}:${PASSWORD}\nroot:${ROOT_PASSWORD}\n`});
	// Nothing is remembered in the machine's own /run.
	const rules = `Defaults:${NAME} timestamp_timeout=0, passwd_tries=1, lecture=never`;
	await append('/etc/sudoers.d/fww', `${rules}\n${NAME} ALL=(ALL:ALL) ALL`);
	await host.must('chmod', ['0440', '/etc/sudoers.d/fww']);
	await host.must('chown', ['-R', `${ID}:${ID}`, home]);
	await host.must('chmod', ['0700', home]);
	return {
		name: NAME,
		password: PASSWORD,
		enter: [
			...host.enter,
			'setpriv',
			'--reuid',
			`${ID}`,
			'--regid',
			`${ID}`,
			'--init-groups',
			'--',
		],
		variables: {HOME: home, TMPDIR: home, PATH: `${bin}:/usr/bin:/bin`},
		words: [node, script],
		home,
		remove,
	};
}
