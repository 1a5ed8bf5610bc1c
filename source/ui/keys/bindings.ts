import {at, type Binding, hasField, PORT_LISTS} from './binding.ts';
import {HELP_ONLY} from './help-bindings.ts';
import {editField, type KeyEvent, scrollHelp} from './key-events.ts';
import type {KeyState} from './key-state.ts';
import {isPress, type Press} from './presses.ts';
import {SHOWN} from './shown-bindings.ts';

/**
 * Every key of the wizard. The last line and `?` show the entries in this order. At most one entry applies to a press.
 * All other keys do nothing, unless a field takes their characters: see `keyEventOf`.
 */
const BINDINGS: readonly Binding[] = [
	...SHOWN,
	...HELP_ONLY.map((binding): Binding => ({...binding, helpOnly: true})),
];

/** A key that works at this moment, with the name of its effect. */
export type ActiveBinding = Binding & {readonly label: string};

/** The keys that work at this moment, in their order. */
export function bindingsOf(state: KeyState): readonly ActiveBinding[] {
	return BINDINGS.filter(({when}) => when(state)).map((binding) => ({
		...binding,
		label: typeof binding.label === 'string' ? binding.label : binding.label(state),
	}));
}

/**
 * The effect of a press at this moment. Undefined where it has none, or where a component handles
 * it by itself. While `?` shows the keys, every key but Ctrl-C only hides them, or scrolls what does
 * not fit: Enter must not load rules there.
 */
export function keyEventOf(
	state: KeyState,
	press: Press,
	helpShown: boolean,
): KeyEvent | undefined {
	if (helpShown && !isPress('Ctrl-C', press)) {
		return scrollHelp(state, press) ?? {type: 'help'};
	}

	const binding = bindingsOf(state).find(
		({key, alias}) => isPress(key, press) || (alias !== undefined && isPress(alias, press)),
	);
	if (binding !== undefined) {
		return typeof binding.event === 'string' ? undefined : binding.event(state, press);
	}

	return hasField(state) || at(PORT_LISTS)(state) ? editField(state, press) : undefined;
}
