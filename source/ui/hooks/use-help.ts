import {useState} from 'react';
import type {Flow} from '../state/state.ts';

/** Whether the keys of the step are shown in its place. They are gone as soon as it is another one. */
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
