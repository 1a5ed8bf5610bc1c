import {existsSync} from 'node:fs';
import {type Diff, findDiff, type Side} from '../app/inspect/diff.ts';
import type {PortChange} from '../app/inspect/port-changes.ts';
import {readAppliedPolicy} from '../change/applied.ts';
import {POLICY_FILE} from '../change/paths.ts';
import {readMeta} from '../change/record.ts';
import {rootRequired} from '../host/exec/elevation.ts';
import {type Facts, gatherFacts} from '../host/machine/facts.ts';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {printJson} from '../lib/json.ts';
import {printPorts} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import {parsePolicy} from '../policy/parse-policy.ts';
import {readPolicy} from './options/policy.ts';
import type {Output} from './run-action.ts';

type DiffFlags = {readonly json?: boolean};

/**
 * `fw-wizard diff [A] [B]`: what opens and what closes from one policy, change or rule set to another one.
 * @returns what to print, and 0 where nothing differs, otherwise 1
 * @throws {InputError} @throws {HostError}
 */
export async function diff(words: readonly string[], {json = false}: DiffFlags): Promise<Output> {
	const [first = 'applied', second = words.length === 0 ? 'running' : 'applied', ...more] = words;
	if (more.length > 0) {
		throw new InputError(
			'There is a word too many',
			`Write two at most: ${commandLine('diff 3 applied')}`,
		);
	}

	const facts = await gatherFacts();
	const found = await findDiff(facts, readSide(first, facts), readSide(second, facts));
	const {opens, closes, unknown, settings, rules} = found;
	return {
		code: [opens, closes, unknown, settings, rules].every((list) => list.length === 0) ? 0 : 1,
		text: json ? printJson(found) : printDiff(found),
	};
}

/** `running`, `applied`, the number of a change, or else the name of a policy file. @throws {InputError} @throws {HostError} */
function readSide(word: string, {services, root}: Facts): Side {
	if (word === 'running') {
		return 'running';
	}

	if (/^[a-z]+$/.test(word) && word !== 'applied' && !existsSync(word)) {
		throw new InputError(
			`"${word}" is no policy`,
			'Write applied, running, the number of a change, or the path of a policy file',
		);
	}

	if (word !== 'applied' && !/^\d{1,9}$/.test(word)) {
		return {name: printable(word), policy: readPolicy({policy: word}, services)};
	}

	if (!root) {
		throw rootRequired(`diff ${word}`);
	}

	if (word === 'applied') {
		const policy = readAppliedPolicy(services);
		if (policy === undefined) {
			throw new InputError(
				'No policy is applied',
				`To choose one: ${commandLine()}; or name two policy files`,
			);
		}

		return {name: 'the applied policy', policy};
	}

	const text = readMeta(Number(word))?.keep.files[POLICY_FILE]?.text;
	if (text === undefined) {
		throw new InputError(
			`Change ${word} is not remembered, or it has no policy`,
			`Write a number of: ${commandLine('undo --list')}`,
		);
	}

	return {name: `change ${word}`, policy: parsePolicy(text, services)};
}

function printDiff({from, to, opens, closes, unknown, settings, rules, notes}: Diff): string {
	const parts = [
		section('Opens:', opens.map(describeChange)),
		section('Closes:', closes.map(describeChange)),
		section('Unknown:', unknown.map(describeChange)),
		section('In the policy:', settings),
		section('Rules of fw-wizard:', rules),
	].flat();
	return `${[
		`From ${from} to ${to}:`,
		...(parts.length === 0 ? ['No difference.'] : parts),
		...notes,
	].join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
	return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function describeChange({protocol, ports, families, from}: PortChange): string {
	const numbers = ports.map((range) => printPorts(range, '-')).join(',');
	const only = families.length === 1 ? `, IPv${families[0]}` : '';
	return `${numbers}/${protocol} from ${printable(from)}${only}`;
}
