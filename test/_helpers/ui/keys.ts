import type {Key} from 'ink';
import {bindingsOf} from '../../../source/ui/keys/bindings.ts';
import {keyLine} from '../../../source/ui/keys/format-bindings.ts';
import type {KeyState} from '../../../source/ui/keys/key-state.ts';
import type {Press} from '../../../source/ui/keys/presses.ts';

const NO_KEY: Key = {
	upArrow: false,
	downArrow: false,
	leftArrow: false,
	rightArrow: false,
	pageDown: false,
	pageUp: false,
	home: false,
	end: false,
	return: false,
	escape: false,
	ctrl: false,
	shift: false,
	tab: false,
	backspace: false,
	delete: false,
	meta: false,
	super: false,
	hyper: false,
	capsLock: false,
	numLock: false,
};

/** A press of a character, or of a key that types none, as Ink reports it. */
export function pressOf(key: Partial<Key> | string): Press {
	return typeof key === 'string'
		? {input: key, key: NO_KEY}
		: {input: '', key: {...NO_KEY, ...key}};
}

/** All keys of the last line, as it writes them where there is room for all. */
export function lineOf(state: KeyState): string {
	return keyLine(bindingsOf(state), 1000).replace(/ {2}\? help$/, '');
}
