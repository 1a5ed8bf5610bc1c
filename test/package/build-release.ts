import path from 'node:path';
import process from 'node:process';
import {succeed} from '../_helpers/lab/programs.ts';
import {rounds} from '../_helpers/lab/rounds.ts';

export const PROJECT = path.resolve(import.meta.dirname, '../..');

/** Copies the sources of the project $1 to $2, where another time zone, umask and language hold, and builds there. */
const ELSEWHERE = `
cd "$1"
cp -a .build .github source license package.json package-lock.json tsconfig.json "$2"
mkdir "$2/node_modules"
mount --bind node_modules "$2/node_modules"
cd "$2"
umask 077
export TZ=Pacific/Auckland LC_ALL=C.UTF-8
"$3" .build/binary.js x64
exec "$3" .build/deb.js x64
`;

/** npm fetches Node the first time: its proxies and certificates are this machine's. */
function variables(): Record<string, string> {
	const own = Object.entries(process.env).filter(([, value]) => value !== undefined);
	return {
		...(Object.fromEntries(own) as Record<string, string>),
		PATH: `${path.dirname(process.execPath)}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
	};
}

/** Debian packages of these are made: a package takes as long as both binaries. */
export const PACKED = rounds(1, 2) === 1 ? ['x64'] : ['x64', 'arm64'];

/** Builds binaries and packages in this project. @returns the folder of the release */
export async function buildRelease(): Promise<string> {
	for (const [step = '', ...names] of [['binary'], ['deb', ...PACKED]]) {
		const words = [process.execPath, path.join(PROJECT, `.build/${step}.js`), ...names];
		await succeed(
			['sh', '-ec', 'cd "$1"; shift; exec "$@"', 'sh', PROJECT, ...words],
			{timeout: 300_000},
			variables(),
		);
	}

	return path.join(PROJECT, 'build/release');
}

/** Builds those of x64 in another folder. @returns the folder of that release */
export async function buildElsewhere(folder: string): Promise<string> {
	const alone = ['unshare', '--mount', '--propagation', 'private', '--'];
	const words = ['sh', '-ec', ELSEWHERE, 'sh', PROJECT, folder, process.execPath];
	await succeed([...alone, ...words], {timeout: 300_000}, variables());
	return path.join(folder, 'build/release');
}
