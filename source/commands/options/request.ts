import process from 'node:process';
import type {ApplyRequest} from '../../app/apply-request.ts';
import {importExisting} from '../../app/import-existing.ts';
import {POLICY_FILE} from '../../change/paths.ts';
import type {Manager} from '../../existing/cleanup-plan.ts';
import {
	blockedLines,
	type ImportResult,
	lossesOf,
	lossLines,
	translationLines,
} from '../../existing/describe-choice.ts';
import {readText} from '../../host/files/read-text.ts';
import {HostError} from '../../lib/errors.ts';
import {joinWords} from '../../lib/list.ts';
import type {Services} from '../../policy/services.ts';
import type {ConfirmationFlags} from './confirmation.ts';
import {type ExistingFlags, readExisting} from './existing.ts';
import {type PolicyFlags, readPolicy} from './policy.ts';

export type RequestFlags = PolicyFlags &
	ExistingFlags &
	Pick<ConfirmationFlags, 'boot' | 'rehearsal'>;

/**
 * Reads what the flags ask for. A policy that takes the place of another firewall begins with what that
 * firewall allows, unless the flags or a policy file name openings; stderr then says what is imported.
 * @throws {InputError} @throws {HostError} where the rules of the other firewall cannot be read
 */
export async function readRequest(flags: RequestFlags, services: Services): Promise<ApplyRequest> {
	const {boot, open, role, policy: file, rehearsal = true} = flags;
	const existing = readExisting(flags);
	const named = file !== undefined || open !== undefined;
	const found = await findImport(existing.switchOff, named);
	const losses = found === undefined ? [] : lossesOf(found.translation, named);
	const lines = named
		? found && [...lossLines(found, losses), ...(file === undefined ? blockedLines(found) : [])]
		: ((found && translationLines(found)) ?? describeNothing(existing.switchOff));
	process.stderr.write((lines ?? []).map((line) => `${line}\n`).join(''));
	const {openings, blocked} = found?.translation ?? {};
	const imported = named ? undefined : openings;
	const unaccepted = existing.acceptLosses ? [] : losses;
	const start = {
		...(imported === undefined ? {} : {openings: imported}),
		// Who names openings does not mean to let in the banned as well.
		...(blocked === undefined || file !== undefined ? {} : {blocked}),
	};
	const isWhole = role !== undefined || file !== undefined || existing.switchOff.length > 0;
	// Before it is read: where another program changes it meanwhile, that must not be lost.
	const basedOn = isWhole ? undefined : readText(POLICY_FILE);
	const policy = readPolicy(flags, services, existing.switchOff.length === 0 ? undefined : start);
	return {policy, basedOn, existing, boot, imported, rehearsal, unaccepted};
}

/**
 * What the firewalls that are switched off allow. Where the user names the openings, it is read only
 * for what is lost beside them, and it is no error that it cannot be read.
 */
async function findImport(
	switchOff: readonly Manager[],
	named: boolean,
): Promise<ImportResult | undefined> {
	try {
		return await importExisting(switchOff);
	} catch (error) {
		if (named && error instanceof HostError) {
			return undefined;
		}

		throw error;
	}
}

function describeNothing(switchOff: readonly Manager[]): readonly string[] {
	return switchOff.length === 0 ? [] : [`What ${joinWords(switchOff)} may allow is not imported.`];
}
