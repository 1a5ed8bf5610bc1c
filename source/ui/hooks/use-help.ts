import {useState} from 'react';
import type {Flow} from '../state/state.ts';

/**
 * Whether `?` shows the words and the keys in place of the step, and from which line on. Another step, view or
 * phase of applying hides them.
 */
export function useHelp({step, view, applying}: Flow): {
	readonly shown: boolean;
	readonly offset: number;
	readonly show: (shown: boolean) => void;
	readonly scroll: (by: number, last: number) => void;
} {
	const place = `${step} ${view} ${applying.phase}`;
	const [{at, offset}, set] = useState<{readonly at?: string; readonly offset: number}>({
		offset: 0,
	});
	return {
		shown: at === place,
		offset,
		show: (shown) => set(shown ? {at: place, offset: 0} : {offset: 0}),
		scroll: (by, last) => set({at: place, offset: Math.max(0, Math.min(offset + by, last))}),
	};
}
