import type {LineEdit} from '../state/line-editor.ts';
import type {Press} from './presses.ts';

/** The keys of a shell's line with Ctrl, as bash(1) has them in its emacs mode; Ctrl-H arrives as Backspace. */
const CONTROLS: Readonly<Record<string, LineEdit>> = {
	a: 'beginning-of-line',
	b: 'backward-char',
	d: 'delete-char',
	e: 'end-of-line',
	f: 'forward-char',
	k: 'kill-line',
	u: 'unix-line-discard',
	w: 'unix-word-rubout',
};

/** What a key does to the text of a field. Undefined where it does nothing to it. */
export function lineEditOf({input, key}: Press): LineEdit | undefined {
	if (key.leftArrow) {
		return 'backward-char';
	}

	if (key.rightArrow) {
		return 'forward-char';
	}

	if (key.home || key.end) {
		return key.home ? 'beginning-of-line' : 'end-of-line';
	}

	if (key.backspace || key.delete) {
		return key.backspace ? 'backward-delete-char' : 'delete-char';
	}

	if (key.ctrl) {
		return CONTROLS[input];
	}

	const moves = key.upArrow || key.downArrow || key.pageUp || key.pageDown || key.tab || key.return;
	return input === '' || moves || key.escape || key.meta ? undefined : {insert: input};
}
