import {useState} from 'react';
import type {Flow} from '../state/state.ts';

/**
 * Whether `?` shows the keys in place of the step. Another step, view or phase of applying hides
 * them.
 */
export function useHelp({step, view, applying}: Flow): {
	readonly shown: boolean;
	readonly show: (shown: boolean) => void;
} {
	const place = `${step} ${view} ${applying.phase}`;
	const [shownAt, setShownAt] = useState<string>();
	return {
		shown: shownAt === place,
		show: (shown) => setShownAt(shown ? place : undefined),
	};
}
