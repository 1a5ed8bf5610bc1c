import {InputError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';

/** The last second that xt_time knows as an end: another number means none (INT_MAX in libxt_time.c). */
const LAST_END = '2038-01-19T03:14:06Z';
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const SECOND_MS = 1000;
const SECONDS: Readonly<Record<string, number>> = {
	...{s: 1, m: 60, min: 60, h: 3600, d: 86_400, w: 604_800},
};
const FORMS = 'Write --for 2h, --for 30min, --until 18:00 or --until "2026-12-01 18:00"';

/** Milliseconds since 1970 as an instant of a policy: `2026-11-29T18:00:00Z`, with whole seconds. */
export function instantOf(time: number): string {
	return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * Reads an instant of a policy: UTC, as `instantOf` writes it.
 * @throws {InputError} also where the kernel could not end a rule then
 */
export function parseInstant(text: string): string {
	const time = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
	if (Number.isNaN(time) || instantOf(time) !== text) {
		throw new InputError(
			`"${printable(text)}" is not a time in UTC`,
			'Write it as in: 8080/tcp until 2026-11-29T18:00:00Z',
		);
	}

	return assertKnown(text);
}

/** The instant after a time such as `2h`, `30min`, `1h30min`. @throws {InputError} */
export function parseFor(text: string, now = Date.now()): string {
	const parts = [...text.matchAll(/(\d{1,6})\s*(min|[smhdw])\s*/gi)];
	const isWhole = parts.map(([part]) => part).join('') === text && parts.length > 0;
	const seconds = parts.reduce(
		(sum, [, count, unit = '']) => sum + Number(count) * (SECONDS[unit.toLowerCase()] ?? 0),
		0,
	);
	if (!isWhole || seconds === 0) {
		throw new InputError(`"${printable(text)}" is not a time to stay open`, FORMS);
	}

	return assertKnown(instantOf(now + seconds * SECOND_MS));
}

/**
 * The instant of a time of this machine's zone: `18:00` today or tomorrow, `2026-12-01 18:00`, or of UTC where it
 * ends in Z.
 * @throws {InputError} where it is past
 */
export function parseUntil(text: string, now = Date.now()): string {
	const [, hour, minute] = /^(\d{1,2}):(\d\d)$/.exec(text) ?? [];
	const [, day, clock, zone = ''] =
		/^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(Z?)$/.exec(text) ?? [];
	let time = day === undefined ? Number.NaN : Date.parse(`${day}T${clock}${zone}`);
	if (hour !== undefined && Number(hour) < 24 && Number(minute) < 60) {
		const next = new Date(now);
		next.setHours(Number(hour), Number(minute), 0, 0);
		// Across a change to summer time a day has other than 24 hours.
		next.setDate(next.getDate() + (next.getTime() > now ? 0 : 1));
		time = next.getTime();
	}

	if (Number.isNaN(time)) {
		throw new InputError(`"${printable(text)}" is not a time`, FORMS);
	}

	if (time <= now) {
		throw new InputError(`${printable(text)} is past`, FORMS);
	}

	return assertKnown(instantOf(time));
}

/** @throws {InputError} */
function assertKnown(instant: string): string {
	// A year of more digits begins with a sign.
	if (instant > LAST_END || /^[+-]/.test(instant)) {
		throw new InputError(
			`The kernel can end an opening until ${LAST_END}, and not at ${instant}`,
			'Name an earlier end, or none',
		);
	}

	return instant;
}

/** Whether an opening has ended. It is open for the whole of its last second, as for the kernel. */
export function isOver({until}: {readonly until?: string}, now = Date.now()): boolean {
	return until !== undefined && Date.parse(until) + SECOND_MS <= now;
}

/** The openings that have not ended. What has ended goes with the next change. */
export function withoutEnded<T extends {readonly until?: string}>(
	openings: readonly T[],
): readonly T[] {
	return openings.filter((opening) => !isOver(opening));
}

/** `in 1 h 59 min`, `in 40 s`, `in 3 days`; `over` where it is past. */
export function describeLeft(until: string, now = Date.now()): string {
	const seconds = Math.ceil((Date.parse(until) - now) / SECOND_MS);
	const minutes = Math.floor(seconds / 60);
	const hours = Math.floor(minutes / 60);
	if (seconds <= 0) {
		return 'over';
	}

	return hours >= 48
		? `in ${Math.floor(hours / 24)} days`
		: hours > 0
			? `in ${hours} h ${minutes % 60} min`
			: minutes > 1
				? `in ${minutes} min`
				: `in ${seconds} s`;
}

/** An end for a person: `2026-11-29 19:00 CET (in 1 h 59 min)`, in the zone of this machine. */
export function describeEnd(until: string): string {
	const date = new Date(until);
	const two = (number: number) => `${number}`.padStart(2, '0');
	const zone = new Intl.DateTimeFormat('en', {timeZoneName: 'short'})
		.formatToParts(date)
		.find(({type}) => type === 'timeZoneName')?.value;
	const seconds = date.getSeconds() === 0 ? '' : `:${two(date.getSeconds())}`;
	return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}${seconds} ${zone} (${describeLeft(until)})`;
}
