import {accessSync, constants, lstatSync} from 'node:fs';
import path from 'node:path';
import {gatherReport, type Report} from '../app/inspect/report.ts';
import {writeWhole} from '../host/files/atomic-write.ts';
import {commandLine} from '../lib/command-line.ts';
import {describeError, explainError, InputError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {ruleSetToJson} from '../ruleset/print-rule-set.ts';
import {proofToJson} from './prove.ts';
import {documentOf} from './report/document.ts';
import {printHtml} from './report/html.ts';
import {printMarkdown} from './report/markdown.ts';
import {requireRoot} from './require-root.ts';
import {statusToJson} from './status.ts';

export type ReportFlags = {
	readonly html?: string;
	readonly prove?: boolean;
	readonly json?: boolean;
};

/**
 * `fw-wizard report`: the state of this firewall for an audit, as Markdown, or as a page in a file.
 * @returns what to print, and whether all is well
 * @throws {InputError} where the file cannot be replaced @throws {HostError} where no policy is applied
 */
export async function report(flags: ReportFlags): Promise<{text: string; well: boolean}> {
	requireRoot('report');
	const file = flags.html === undefined ? undefined : path.resolve(flags.html);
	const fault = file === undefined ? undefined : faultOf(file);
	if (fault !== undefined) {
		throw new InputError(fault, `Write: ${commandLine('report --html report.html')}`);
	}

	const found = await gatherReport(flags.prove ?? false);
	const page = documentOf(found);
	if (file !== undefined) {
		try {
			// It has the addresses of this machine and of others.
			writeWhole(file, printHtml(page), 0o600);
		} catch (error) {
			throw explainError(error, file);
		}
	}

	return {
		well: found.well,
		text: flags.json
			? `${JSON.stringify({...toJson(found), ...(file === undefined ? {} : {file})}, undefined, '\t')}\n`
			: file === undefined
				? printMarkdown(page)
				: `Written: ${printable(file, 400)}\n`,
	};
}

/** Why the page cannot be put there. */
function faultOf(file: string): string | undefined {
	const folder = path.dirname(file);
	try {
		// The dot is there in a folder only.
		accessSync(`${folder}/.`, constants.W_OK);
	} catch (error) {
		return `The report cannot be written: ${describeError(error, folder)}`;
	}

	const found = lstatSync(file, {throwIfNoEntry: false});
	return found?.isFile() === false
		? `${printable(file)} is not a plain file: it is not replaced`
		: undefined;
}

function toJson({time, host, well, system, facts, compiled, ...rest}: Report) {
	const {status, exposure, items, proof: last} = rest;
	const {rows, protocols = [], tried, unread} = exposure;
	const swap = <T extends object>({
		before: now,
		after,
		...row
	}: T & {before: unknown; after?: unknown}) => ({
		...row,
		...{without: after, now},
	});
	return {
		...{time, host, well, version: FW_WIZARD_VERSION, kernel: system.kernel},
		iptables: facts.iptables?.version ?? null,
		...ruleSetToJson(compiled),
		status: statusToJson(status),
		exposure: {rows: rows.map(swap), protocols: protocols.map(swap), tried, unread},
		items,
		proof: last ? {time: last.time, ...proofToJson(last.of, last.proof)} : null,
	};
}
