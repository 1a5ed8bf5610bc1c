import {closeSync, constants, openSync, readSync} from 'node:fs';
import {uptime} from 'node:os';
import {setTimeout as delay} from 'node:timers/promises';
import {findProgram} from '../exec/find-program.ts';
import {run} from '../exec/run.ts';

/** A line that the kernel itself has logged. Its text is from outside. */
export type KernelLine = {readonly time: Date; readonly message: string};

const KMSG = '/dev/kmsg';
/** A record is at most 8 KiB (LOG_LINE_MAX and its keys). */
const RECORD_BYTES = 8192;
const FOLLOW_MS = 200;
/** More lines than these are not read: the newest ones are. */
const MOST_LINES = 200_000;

/**
 * The lines of the kernel since a time: from the journal, which keeps those of earlier boots, or from the kernel's
 * own buffer, which has the newest ones alone.
 * @returns undefined where neither can be read
 */
export async function readKernelLog(since: Date): Promise<readonly KernelLine[] | undefined> {
	const journal = await readJournal(since);
	const buffer = journal === undefined || journal.length === 0 ? readBuffer() : undefined;
	return buffer?.filter(({time}) => time >= since) ?? journal;
}

async function readJournal(since: Date): Promise<readonly KernelLine[] | undefined> {
	if (findProgram('journalctl') === undefined) {
		return undefined;
	}

	const seconds = Math.floor(since.getTime() / 1000);
	const {status, stdout} = await run(
		'journalctl',
		[
			...['--quiet', '--no-pager', '--output=json', '--output-fields=MESSAGE'],
			// By this alone one knows that the kernel wrote it: a program can claim any name.
			...[`--lines=${MOST_LINES}`, `--since=@${seconds}`, '_TRANSPORT=kernel'],
		],
		{timeout: 60_000},
	);
	return status === 0
		? stdout.split('\n').flatMap((line) => parseJournalLine(line) ?? [])
		: undefined;
}

/** Reads a line of `journalctl --output=json`. A message with bytes that are no text is a list of numbers there. */
export function parseJournalLine(line: string): KernelLine | undefined {
	try {
		const {MESSAGE: message, __REALTIME_TIMESTAMP: time} = JSON.parse(line);
		const date = new Date(Number(time) / 1000);
		return typeof message === 'string' && !Number.isNaN(date.getTime())
			? {time: date, message}
			: undefined;
	} catch {
		return undefined;
	}
}

/** All that is in the kernel's buffer; undefined where it cannot be read. */
function readBuffer(): readonly KernelLine[] | undefined {
	const descriptor = openBuffer();
	if (descriptor === undefined) {
		return undefined;
	}

	try {
		return readNew(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

/**
 * Waits for lines of the kernel from now on, and never ends.
 * @returns at once, where the kernel's buffer cannot be read
 */
export async function followKernelLog(
	tell: (line: KernelLine) => void,
): Promise<'unreadable' | undefined> {
	const descriptor = openBuffer();
	if (descriptor === undefined) {
		return 'unreadable';
	}

	readNew(descriptor);
	for (;;) {
		await delay(FOLLOW_MS);
		for (const line of readNew(descriptor)) {
			tell(line);
		}
	}
}

function openBuffer(): number | undefined {
	try {
		return openSync(KMSG, constants.O_RDONLY | constants.O_NONBLOCK);
	} catch {
		return undefined;
	}
}

/** The records that were not read yet: each read(2) gives one, EPIPE where the next ones are overwritten already. */
function readNew(descriptor: number): readonly KernelLine[] {
	const bytes = Buffer.alloc(RECORD_BYTES);
	const booted = Date.now() - uptime() * 1000;
	const lines: KernelLine[] = [];
	for (let reads = 0; reads < MOST_LINES; reads += 1) {
		try {
			const length = readSync(descriptor, bytes);
			const line = parseKmsg(bytes.toString('utf8', 0, length), booted);
			if (line !== undefined) {
				lines.push(line);
			}
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EPIPE') {
				break;
			}
		}
	}

	return lines;
}

/**
 * Reads a record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg): `4,1234,5678901,-;message`, with the priority,
 * a number, and microseconds since the boot. What programs have written there has a facility above 0.
 * @param booted when the machine was booted, in milliseconds since 1970
 */
export function parseKmsg(record: string, booted: number): KernelLine | undefined {
	const [, priority, micros, message] = /^(\d+),\d+,(\d+),[^;]*;([^\n]*)/.exec(record) ?? [];
	return message === undefined || Number(priority) > 7
		? undefined
		: {time: new Date(booted + Number(micros) / 1000), message};
}
