// Bundles the program into one file without dependencies, and collects the licences of what is in it.
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {bundle} from './bundle.js';
import {licencesOf} from './licences.js';

rmSync('build', {recursive: true, force: true});
mkdirSync('build');
const {text, packages} = await bundle('script');
writeFileSync('build/cli.js', text, {mode: 0o755});
writeFileSync('build/third-party-licences.txt', licencesOf(packages));
