import wrapAnsi from 'wrap-ansi';
import {OWN_SERVICES} from '../../policy/services.ts';
import {bindingsOf} from '../keys/bindings.ts';
import {keyLine} from '../keys/format-bindings.ts';
import {plainKeyState} from '../keys/key-state.ts';
import {menuHeight} from '../menu-height.ts';
import {stepsOf} from '../state/asked-steps.ts';
import {startFlow, WELCOME_CHOICES} from '../state/state.ts';
import {headLine, railOf, STEP_NAMES, safetyNote} from '../text/texts.ts';
import {truncate} from '../text/truncate.ts';
import type {MachineView} from '../text/welcome.ts';
import {glyphs, paint, type Tone} from '../theme.ts';

const WELCOME = startFlow({}, [], OWN_SERVICES);

type FirstFrameOptions = {
	readonly columns: number;
	readonly rows: number;
	readonly banner: string | undefined;
	readonly machine: MachineView;
	/** The seconds in which a change must be confirmed. */
	readonly seconds: number;
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
	machine,
	seconds,
	colour,
}: FirstFrameOptions): string {
	const columns = width - 1;
	const say = (text: string, tone: Tone) => (colour ? paint(text, tone) : text);
	const wrap = (text: string) => wrapAnsi(text, columns, {hard: true}).split('\n');
	const findings = machine.findings.flatMap(({text, tone}) =>
		wrap(text).map((line) => say(line, tone)),
	);
	const body = [...findings, '', ...wrap(safetyNote(seconds))];
	const head = [
		...(banner === undefined ? [] : [say(truncate(banner, columns).padEnd(columns), 'banner')]),
		say(headLine(machine.head, columns), 'muted'),
		rail(columns, say),
		say(truncate(machine.headline, columns), 'strong'),
		'',
	];
	const room = Math.max(0, rows - 1 - head.length - 1);
	const viewport = {lines: findings.length, height: menuHeight(room, WELCOME_CHOICES.length)};
	const keys = bindingsOf({...plainKeyState(WELCOME), looking: true, viewport});
	return [
		...head,
		...Array.from({length: room}, (_, index) => body[index] ?? ''),
		say(keyLine(keys, columns), 'muted'),
	].join('\r\n');
}

function rail(columns: number, say: (text: string, tone: Tone) => string): string {
	const steps = stepsOf(WELCOME);
	const short = railOf('welcome', steps, columns);
	return short === undefined
		? steps
				.map((step, index) => say(STEP_NAMES[step], index === 0 ? 'accent' : 'muted'))
				.join(say(` ${glyphs.step} `, 'muted'))
		: say(short, 'accent');
}
