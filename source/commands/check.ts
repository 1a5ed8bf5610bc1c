import {existsSync} from 'node:fs';
import {makeChecker, tickOff} from '../app/check.ts';
import {POLICY_FILE} from '../change/paths.ts';
import type {Item, Tick} from '../checklist/checklist-item.ts';
import {gatherFacts} from '../host/machine/facts.ts';
import {iptablesMissing} from '../host/machine/packages.ts';
import {printJson} from '../lib/json.ts';
import {printable} from '../lib/printable.ts';
import {requireRoot} from './require-root.ts';
import type {Output} from './run-action.ts';

type CheckFlags = {
	readonly fix?: boolean;
	readonly full?: boolean;
	readonly tick?: Tick;
	readonly json?: boolean;
};

/**
 * `fw-wizard check`: the reboot-survival checklist.
 * @returns what to print, and 0 where nothing has failed, otherwise 1
 */
export async function check(flags: CheckFlags): Promise<Output> {
	requireRoot('check');
	if (flags.tick !== undefined) {
		await tickOff(flags.tick);
	}

	const facts = await gatherFacts();
	// Where a policy was applied, the checklist says more than that iptables is missing.
	if (facts.iptables === undefined && !existsSync(POLICY_FILE)) {
		throw iptablesMissing();
	}

	const checker = makeChecker(facts, flags.full);
	const first = await checker.check();
	const items = flags.fix && first.some(({mendable}) => mendable) ? await checker.mend() : first;
	const well = items.every(({state}) => state !== 'failed');
	return {
		code: well ? 0 : 1,
		text: flags.json ? printJson({well, items}) : `${items.map(printItem).join('\n')}\n`,
	};
}

function printItem({title, state, cause, fix}: Item): string {
	const signs = {ok: 'ok    ', failed: 'failed', open: 'open  '};
	return [
		`${signs[state]}  ${title}`,
		...(cause === undefined ? [] : [`        ${printable(cause, 1000)}`]),
		...(fix === undefined ? [] : [`        -> ${printable(fix, 300)}`]),
	].join('\n');
}
