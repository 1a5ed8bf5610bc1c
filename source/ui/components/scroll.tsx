import {Box, Text} from 'ink';
import type {ReactElement, ReactNode} from 'react';
import {windowOf} from '../text/scroll-window.ts';
import {glyphs, screenReader, styleOf} from '../theme.ts';

type Props<T> = {
	readonly items: readonly T[];
	readonly height: number;
	/** The first item to show or, with `around`, the one to show in the middle. */
	readonly offset: number;
	readonly around?: boolean;
	readonly render: (item: T, index: number) => ReactNode;
};

/**
 * The part of a list that fits, one line an item. A line before and after it says how many more
 * items exist.
 */
export function Scroll<T>({items, height, offset, around, render}: Props<T>): ReactElement {
	const {first, last} = windowOf(items.length, height, offset, around ?? false);
	const hidden = items.length - (last - first);
	const apart = height > 2 || hidden === 0;
	return (
		<Box flexDirection="column" flexShrink={0}>
			{apart && first > 0 && <More count={first} where=" above" />}
			{items.slice(first, last).map((item, index) => (
				// A line has no identity but its position.
				// biome-ignore lint/suspicious/noArrayIndexKey: see above
				<Box key={first + index} flexShrink={0}>
					{render(item, first + index)}
				</Box>
			))}
			{apart && last < items.length && <More count={items.length - last} where=" below" />}
			{!apart && height === 2 && <More count={hidden} where="" />}
		</Box>
	);
}

function More({count, where}: {readonly count: number; readonly where: string}): ReactElement {
	return (
		<Box flexShrink={0}>
			<Text {...styleOf('muted')}>
				{screenReader ? '' : `${glyphs.more} `}
				{count} more{where}
			</Text>
		</Box>
	);
}
