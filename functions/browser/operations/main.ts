import { OperationsView } from './operations-view.ts';

new OperationsView().start();
