// Makes what the npm package has: the program in one file, the licences of its packages, manual and completions.
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {bundle} from './bundle.js';
import {licencesOf} from './licences.js';
import {writeReference} from './reference.js';

rmSync('build', {recursive: true, force: true});
mkdirSync('build');
const {text, packages} = await bundle();
writeFileSync('build/cli.js', text, {mode: 0o755});
// The project is made of modules, the bundle is CommonJS.
writeFileSync('build/package.json', '{"type": "commonjs"}\n');
writeFileSync('build/third-party-licences.txt', licencesOf(packages));
writeReference('build/cli.js', 'build');
