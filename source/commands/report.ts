import {accessSync, constants, lstatSync} from 'node:fs';
import path from 'node:path';
import {gatherReport, type Report} from '../app/inspect/report.ts';
import {writeWhole} from '../host/files/atomic-write.ts';
import {commandLine} from '../lib/command-line.ts';
import {describeError, explainError, InputError} from '../lib/errors.ts';
import {printJson} from '../lib/json.ts';
import {printable} from '../lib/printable.ts';
import {ruleSetToJson} from '../ruleset/print-rule-set.ts';
import {proofToJson} from './prove.ts';
import type {Document} from './report/blocks.ts';
import {documentOf} from './report/document.ts';
import {fleetDocument} from './report/fleet-document.ts';
import {writeTextfiles} from './report/fleet-metrics.ts';
import {printHtml} from './report/html.ts';
import {printMarkdown} from './report/markdown.ts';
import {requireRoot} from './require-root.ts';
import type {Output} from './run-action.ts';
import {statusToJson} from './status.ts';

type ReportFlags = {
	readonly html?: string;
	readonly fleet?: readonly string[];
	readonly textfiles?: string;
	readonly prove?: boolean;
	readonly json?: boolean;
};

/** What is reported: as a document, and as JSON. */
type Found = {readonly well: boolean; readonly page: Document; readonly json: object};

/**
 * `fw-wizard report`: the state of this firewall for an audit, or of those of a fleet, as Markdown, or as a page in a
 * file.
 * @returns what to print, and 0 where all is well, otherwise 1
 * @throws {InputError} where a file cannot be read or replaced @throws {HostError} where no policy is applied
 */
export async function report(flags: ReportFlags): Promise<Output> {
	const file = flags.html === undefined ? undefined : path.resolve(flags.html);
	const {well, page, json} = await (flags.fleet === undefined
		? ownReport(flags, file)
		: fleetReport(flags, flags.fleet, file));
	if (file !== undefined) {
		try {
			// It has the addresses of this machine and of others.
			writeWhole(file, printHtml(page), 0o600);
		} catch (error) {
			throw explainError(error, file);
		}
	}

	return {
		code: well ? 0 : 1,
		text: flags.json
			? printJson({...json, ...(file === undefined ? {} : {file})})
			: file === undefined
				? printMarkdown(page)
				: `Written: ${printable(file, 400)}\n`,
	};
}

async function ownReport(flags: ReportFlags, file: string | undefined): Promise<Found> {
	requireRoot('report');
	if (flags.textfiles !== undefined) {
		throw new InputError(
			'--textfiles is for several hosts',
			`Write: ${commandLine('report --fleet FOLDER --textfiles FOLDER')}`,
		);
	}

	requireReplaceable(file);
	const found = await gatherReport(flags.prove ?? false);
	return {well: found.well, page: documentOf(found), json: toJson(found)};
}

async function fleetReport(
	{prove, textfiles}: ReportFlags,
	names: readonly string[],
	file: string | undefined,
): Promise<Found> {
	if (prove) {
		throw new InputError(
			'--prove is for this machine, not for a fleet',
			`Write: ${commandLine('report --fleet FOLDER --html fleet.html')}`,
		);
	}

	requireReplaceable(file);
	const {readFleet} = await import('./report/read-fleet.ts');
	const hosts = readFleet(names);
	if (textfiles !== undefined) {
		writeTextfiles(textfiles, hosts);
	}

	const [time, well] = [
		new Date().toISOString(),
		hosts.every(({problems}) => problems.length === 0),
	];
	return {well, page: fleetDocument(hosts, time), json: {time, well, hosts}};
}

/** @throws {InputError} */
function requireReplaceable(file: string | undefined): void {
	const fault = file === undefined ? undefined : faultOf(file);
	if (fault !== undefined) {
		throw new InputError(fault, `Write: ${commandLine('report --html report.html')}`);
	}
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
