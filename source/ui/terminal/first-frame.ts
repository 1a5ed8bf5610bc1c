import wrapAnsi from 'wrap-ansi';
import {OWN_SERVICES} from '../../policy/services.ts';
import {bindingsOf} from '../keys/bindings.ts';
import {keyLine} from '../keys/format-bindings.ts';
import {plainKeyState} from '../keys/key-state.ts';
import {NOTHING_KNOWN, startFlow, stepsOf} from '../state/state.ts';
import {QUESTIONS, REASSURANCE, railOf, STEP_NAMES} from '../text/texts.ts';
import {truncate} from '../text/truncate.ts';
import type {Line} from '../text/wrap.ts';
import {glyphs, paint, type Tone} from '../theme.ts';

const WELCOME_KEYS = bindingsOf(plainKeyState(startFlow({}, [], OWN_SERVICES)));

type FirstFrameOptions = {
	readonly columns: number;
	readonly rows: number;
	readonly banner: string | undefined;
	readonly findings: readonly Line[];
	readonly colour: boolean;
};

/**
 * Draws Welcome with the facts that are known at once. It does so without Ink, which takes longer
 * to load than everything else together. Every line is the same as in Ink's first frame.
 */
export function firstFrame({
	columns: width,
	rows,
	banner,
	findings,
	colour,
}: FirstFrameOptions): string {
	const columns = width - 1;
	const say = (text: string, tone: Tone) => (colour ? paint(text, tone) : text);
	const wrap = (text: string) => wrapAnsi(text, columns, {hard: true}).split('\n');
	const body = [
		...findings.flatMap(({text, tone}) => wrap(text).map((line) => say(line, tone))),
		'',
		...wrap(REASSURANCE),
	];
	const head = [
		...(banner === undefined ? [] : [say(truncate(banner, columns).padEnd(columns), 'banner')]),
		rail(columns, say),
		say(glyphs.line.repeat(columns), 'muted'),
		say(truncate(QUESTIONS.welcome, columns), 'strong'),
		'',
	];
	const room = Math.max(0, rows - 1 - head.length - 1);
	return [
		...head,
		...Array.from({length: room}, (_, index) => body[index] ?? ''),
		say(keyLine(WELCOME_KEYS, columns), 'muted'),
	].join('\r\n');
}

function rail(columns: number, say: (text: string, tone: Tone) => string): string {
	const steps = stepsOf({known: NOTHING_KNOWN});
	const short = railOf('welcome', steps, columns);
	return short === undefined
		? steps
				.map((step, index) => say(STEP_NAMES[step], index === 0 ? 'accent' : 'muted'))
				.join(say(` ${glyphs.step} `, 'muted'))
		: say(short, 'accent');
}
