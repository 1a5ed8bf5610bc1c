// Makes the stand-alone binaries for machines without Node: Node and the program in one file, and what belongs to it.
// https://nodejs.org/docs/latest-v26.x/api/single-executable-applications.html
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {bundle} from './bundle.js';
import {licencesOf, SEPARATOR} from './licences.js';
import {NODE_INTEGRITY, NODE_VERSION, unpackNode} from './node.js';
import {writeReference} from './reference.js';
import {RELEASE} from './release.js';
import {printSbom} from './sbom.js';

/** @typedef {import('./node.js').Architecture} Architecture */
const ALL = /** @type {Architecture[]} */ (Object.keys(NODE_INTEGRITY));
/** Those that the command names, or all. */
const wanted = process.argv.length > 2 ? ALL.filter((name) => process.argv.includes(name)) : ALL;
/** This machine's: its Node makes the binaries of all. */
const own = ALL.find((name) => name === process.arch);
if (own === undefined || wanted.length === 0) {
	process.stderr.write(`Binaries are made on, and for: ${ALL.join(', ')}\n`);
	process.exit(3);
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'fww-binary-'));
try {
	for (const architecture of new Set([own, ...wanted])) {
		unpackNode(architecture, path.join(folder, architecture));
	}

	const {text, packages} = await bundle();
	writeFileSync(path.join(folder, 'cli.js'), text);
	rmSync(RELEASE, {recursive: true, force: true});
	mkdirSync(RELEASE, {recursive: true});
	writeReference(path.join(folder, 'cli.js'), RELEASE);
	writeFileSync(`${RELEASE}/fw-wizard.licences.txt`, licencesFor(packages));
	const node = path.join(folder, own, 'node');
	const sums = wanted.map((architecture) => {
		const file = `fw-wizard-linux-${architecture}`;
		makeBinary(node, architecture, path.resolve(RELEASE, file));
		const sha256 = createHash('sha256')
			.update(readFileSync(`${RELEASE}/${file}`))
			.digest('hex');
		writeFileSync(`${RELEASE}/${file}.cdx.json`, printSbom({packages, architecture, node, sha256}));
		return `${sha256}  ${file}\n`;
	});
	writeFileSync(`${RELEASE}/SHA256SUMS`, sums.join(''));
} finally {
	rmSync(folder, {recursive: true});
}

/**
 * The path of the program is in the binary: it is given as seen from the folder, so that it is the same anywhere.
 * @param {string} node
 * @param {Architecture} architecture
 * @param {string} output
 */
function makeBinary(node, architecture, output) {
	const config = {
		main: 'cli.js',
		executable: path.join(architecture, 'node'),
		output,
		disableExperimentalSEAWarning: true,
		// A program for root takes no options of Node from its environment (NODE_OPTIONS).
		execArgvExtension: 'none',
	};
	writeFileSync(path.join(folder, 'sea.json'), JSON.stringify(config));
	execFileSync(node, ['--build-sea', 'sea.json'], {
		cwd: folder,
		stdio: ['ignore', 'ignore', 'inherit'],
	});
}

/**
 * What must be handed on beside the binary: the licences of fw-wizard, of Node with all that Node
 * contains, and of the packages.
 * @param {readonly import('./bundle.js').Package[]} packages
 */
function licencesFor(packages) {
	return [
		`fw-wizard\n\n${readFileSync('license', 'utf8').trim()}`,
		`Node.js v${NODE_VERSION}\n\n${readFileSync(path.join(folder, own ?? '', 'LICENSE'), 'utf8').trim()}`,
		licencesOf(packages),
	].join(SEPARATOR);
}
